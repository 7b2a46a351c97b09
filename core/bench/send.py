"""`bench send`: messages per second and CPU per 1,000 of the whole path, of our client alone, of bare
requests and of public clients, against the same stub on the same machine in one run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.bench import stub

PEERS = Path(__file__).parent / "peers"
INSTALLED = Path(".venv-peers")  # by `make bench-peers`
ENDED = 600  # seconds after which a contender is given up


@dataclass(frozen=True)
class Contender:
    """A way to send that is measured, in a process of its own."""

    name: str
    command: tuple[str, ...]  # url and number of messages follow
    messages: int
    tail: tuple[str, ...] = ()
    single: bool = False  # one call per message, by a public client
    says: str = ""  # on its standard input


def run(
    *,
    messages: int,
    latency_ms: int,
    peers_python: str | None,
    node_modules: str | None,
    postgresql_url: str | None,
) -> dict[str, Any]:
    """Run every contender in turn; those that are not installed say so."""
    results = []
    with stub.running_stub(latency_ms / 1000) as url:
        for contender in _contenders(messages, latency_ms, peers_python or _python(), postgresql_url):
            figures = _figures(contender, url, node_modules)
            results.append({"name": contender.name, "single_call_peer": contender.single, **figures})
    return {"latency_ms": latency_ms, "results": results, **_ratios(results)}


def _contenders(messages: int, latency_ms: int, python: str, postgresql_url: str | None) -> list[Contender]:
    ours = (sys.executable, "-m", "core.bench.whole_path")
    peer = (python, str(PEERS / "python_client.py"))
    node = ("node", str(PEERS / "node_client.cjs"))
    lanes = ("1", "16") if latency_ms < 5 else ("64",)
    fewer = max(200, messages // 10) if latency_ms < 5 else 600
    made = [Contender("(a) whole path, SQLite", (*ours, "ledger"), messages)]
    if postgresql_url:
        made.append(Contender("(a) whole path, PostgreSQL", (*ours, "ledger"), messages, says=postgresql_url))
    made += [
        Contender("(b) our client alone, batches of 50", (*ours, "client"), messages),
        Contender("(b) our client alone, batches of 50 fanpages", (*ours, "mixed"), messages),
    ]
    for lane in lanes:
        made.append(Contender(f"(c) requests, {lane} threads", (*peer, "requests"), fewer, (lane,), True))
        for name in ("pymessenger", "fbmessenger"):
            made.append(Contender(f"{name}, {lane} threads", (*peer, name), fewer, (lane,), True))
    made.append(
        Contender("messaging-api-messenger, 32 at once", (*node, "single"), messages // 4, ("32",), True)
    )
    made.append(Contender("messaging-api-messenger, batches of 50", (*node, "batch"), messages, ("8",)))
    return made


def _figures(contender: Contender, url: str, node_modules: str | None) -> dict[str, Any]:
    if shutil.which(contender.command[0]) is None:
        return {"missing": f"{contender.command[0]} is not on this machine"}
    command = [*contender.command, url, str(contender.messages), *contender.tail]
    environment = _with_node_modules(node_modules) if contender.command[0] == "node" else None
    done = subprocess.run(
        command,
        input=contender.says + "\n",
        capture_output=True,
        text=True,
        timeout=ENDED,
        check=False,
        env=environment,
    )
    if done.returncode != 0:
        return {"missing": _why(done.stderr)}
    measured = json.loads(done.stdout.splitlines()[-1])
    return {
        "messages_per_second": round(measured["messages"] / measured["seconds"]),
        "cpu_seconds_per_1000": round(measured["cpu_seconds"] / measured["messages"] * 1000, 4),
        "peak_mb": round(measured["peak_mb"]),
    }


def _why(errors: str) -> str:
    """The line that names the error; Node says its version last."""
    lines = [line for line in errors.splitlines() if "Error" in line]
    return (lines or ["failed"])[-1].strip()[:100]


def _with_node_modules(folder: str | None) -> dict[str, str]:
    path = shutil.which("node") or ""
    return {
        "PATH": str(Path(path).parent),
        "NODE_PATH": folder or str((INSTALLED / "node_modules").resolve()),
    }


def _python() -> str:
    installed = INSTALLED / "bin" / "python"
    return str(installed) if installed.exists() else sys.executable


def _ratios(results: list[dict[str, Any]]) -> dict[str, Any]:
    ours = results[0]
    peers = [r for r in results if r["single_call_peer"] and "messages_per_second" in r]
    if "messages_per_second" not in ours or not peers:
        return {}
    fastest = max(peers, key=lambda r: r["messages_per_second"])
    thriftiest = min(peers, key=lambda r: r["cpu_seconds_per_1000"])
    return {
        "fastest_single_call_peer": fastest["name"],
        "times_its_messages_per_second": round(
            ours["messages_per_second"] / fastest["messages_per_second"], 2
        ),
        "thriftiest_single_call_peer": thriftiest["name"],
        "share_of_its_cpu_per_message": round(
            ours["cpu_seconds_per_1000"] / thriftiest["cpu_seconds_per_1000"], 2
        ),
    }
