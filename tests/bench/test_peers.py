"""The public clients that `bench send` is compared with are measured by the same code as ours."""

import json
import subprocess
import sys

from core.bench import send
from core.bench.stub import running_stub


def test_bare_requests_are_measured() -> None:
    with running_stub(0.0) as url:
        command = [sys.executable, send.PEERS / "python_client.py", "requests", url, "20", "2"]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    figures = json.loads(said)
    assert figures["messages"] == 20
    assert {"seconds", "cpu_seconds", "peak_mb"} < set(figures)
