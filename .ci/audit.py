"""Looks for known holes in what is pinned. Exits with 1 when there is one; says so when it could not look."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PINNED = ("requirements.txt", "requirements-postgres.txt", "requirements-dev.txt")
PATIENCE = 120  # seconds
# In what it says when it reaches nobody, or only somebody in trouble.
OFFLINE = re.compile(
    r"ConnectionError|Could not connect|NameResolution|ConnectTimeout|ReadTimeout|timed out|ProxyError"
    r"|5\d\d Server Error"
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "audit.json"
        options = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--timeout=5"]
        command = [sys.executable, "-m", "pip_audit", *options, "--format=json", f"--output={report}"]
        files = [part for name in PINNED for part in ("-r", name)]
        try:
            ended = subprocess.run(
                [*command, *files], capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            sys.stdout.write("audit skipped: the list of known holes did not answer in time\n")
            return 0
        if not report.exists():
            return say_failed(ended.stderr)
        return say(json.loads(report.read_text("utf-8"))["dependencies"])


def say_failed(said: str) -> int:
    """Write why nothing was looked up. Returns 0 for a machine that reaches nobody, else 1."""
    if OFFLINE.search(said):
        sys.stdout.write("audit skipped: the list of known holes cannot be read from here\n")
        return 0
    sys.stdout.write(f"audit failed:\n{said[-2000:]}\n")
    return 1


def say(packages: list[dict]) -> int:
    """Write what is known of these packages, as pip-audit describes them. Returns the exit code."""
    found = [each for each in packages if each.get("vulns")]
    for each in found:
        holes = ", ".join(hole["id"] for hole in each["vulns"])
        fixed = sorted({version for hole in each["vulns"] for version in hole.get("fix_versions", [])})
        mended = ", ".join(fixed) or "no version yet"
        sys.stdout.write(f"{each['name']} {each['version']}: {holes}; mended in {mended}\n")
    unknown = sum("skip_reason" in each for each in packages)
    sys.stdout.write(f"audit: {len(packages) - unknown} packages looked up, {len(found)} with known holes")
    sys.stdout.write(f"; {unknown} could not be looked up from here\n" if unknown else "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
