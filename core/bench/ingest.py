"""`bench ingest`: signed opt-ins per second made durable and applied by one webhook server, beside a bare
handler that only checks the signature and one that commits each request; on SQLite and on PostgreSQL."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from core.bench import databases, intake_fixtures
from core.bench.load_generator import Load, LoadGenerator
from core.db import migrations
from core.db.engine import reading
from core.db.tables import OptIn
from core.settings import override_settings, settings

PATIENCE = 120.0
BARE, SIMPLE = "bare handler, signature only (the limit)", "a session and a commit per request"
OURS = "webhook server"


@dataclass(frozen=True)
class IngestOptions:
    """What is sent to the server, and how much is stored beforehand."""

    opt_ins: int
    to_a_body: int
    connections: int
    stored: int  # events that are stored beforehand


def run(options: IngestOptions, *, postgresql_url: str | None, rounds: int) -> dict[str, Any]:
    """Measure every contender in turn, each on a fresh database. All rounds are listed."""
    results = [_measure(BARE, ("core.bench.plain_server", "bare"), options, None)]
    fewer = IngestOptions(max(options.opt_ins // 10, 200), 1, options.connections, 0)
    for url in (None, postgresql_url) if postgresql_url else (None,):
        results += [_measure(OURS, ("webhook_server",), options, url) for _ in range(rounds)]
        results.append(_measure(SIMPLE, ("core.bench.plain_server", "simple"), fewer, url))
    return {
        "opt_ins": options.opt_ins,
        "opt_ins_to_a_body": options.to_a_body,
        "connections": options.connections,
        "events_stored_before": options.stored,
        "results": results,
    }


def _measure(name: str, command: tuple[str, ...], options: IngestOptions, url: str | None) -> dict[str, Any]:
    with databases.fresh_database(url):
        override_settings(app_secret="app-secret-of-the-bench", webhook_port=str(free_port()))
        if name != BARE:
            migrations.upgrade()
            intake_fixtures.create_open_requests(options.opt_ins, options.stored)
        server = subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.DEVNULL)
        try:
            until_it_listens(server)
            figures = _measure_load(server.pid, options, applies=name != BARE)
        finally:
            server.terminate()
            server.wait(PATIENCE)
    return {"name": f"{name}{'' if name == BARE else ', PostgreSQL' if url else ', SQLite'}", **figures}


def _measure_load(pid: int, options: IngestOptions, *, applies: bool) -> dict[str, Any]:
    load = Load(
        settings().webhook_port,
        intake_fixtures.PAGE_ID,
        settings().app_secret.get_secret_value(),
        options.opt_ins,
        options.to_a_body,
        options.connections,
    )
    generator = LoadGenerator(load)
    try:
        cpu = _cpu_seconds(pid)
        heard = generator.run()
        lag = _wait_until_applied(options.opt_ins) if applies and not heard.refused else {}
        cpu = _cpu_seconds(pid) - cpu
    finally:
        generator.close()
    return {
        "opt_ins_per_second": round(options.opt_ins / heard.seconds),
        "p50_ms": heard.percentile(0.5),
        "p99_ms": heard.percentile(0.99),
        "refused": heard.refused,
        "cpu_seconds_per_1000": round(cpu / options.opt_ins * 1000, 4),
        "sender_cpu_seconds_per_1000": round(heard.cpu_seconds / options.opt_ins * 1000, 4),
        "peak_mb": _peak_mb(pid),
        **lag,
    }


def _wait_until_applied(opt_ins: int) -> dict[str, Any]:
    """Wait until all opt-ins are recorded. Returns how many were when the last was acknowledged, and how long
    the rest took."""
    began = time.perf_counter()
    at_first = applied = _applied()
    while applied < opt_ins:
        if time.perf_counter() - began > PATIENCE:
            raise TimeoutError(f"only {applied} of {opt_ins} opt-ins are in the ledger")
        time.sleep(0.01)
        applied = _applied()
    return {
        "applied": applied,
        "applied_at_last_answer": at_first,
        "lag_seconds": round(time.perf_counter() - began, 3) if at_first < opt_ins else 0.0,
    }


def _applied() -> int:
    with reading() as db:
        return db.scalar(select(func.count()).where(col(OptIn.topic_id).is_not(None))) or 0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def until_it_listens(server: subprocess.Popen[bytes]) -> None:
    """Wait until a webhook server takes requests at the port of the settings."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", settings().webhook_port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the server did not start")


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads (Linux)."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


def _peak_mb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024
