"""`bench scale`: several worker processes on one PostgreSQL against the stub: what each more brings.

Many fanpages, each allowed 300 messages a second, want more than the machine can do. Everything shares its
processors: the workers, the database, the stub.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text

from core.bench import stub
from core.bench.databases import fresh_database
from core.bench.server import named_or_own_server
from core.db import migrations
from core.db.engine import is_sqlite, reading, transaction
from core.settings import override_settings, settings

RATE = 300
WARM_UP_SECONDS = 3.0
START_SECONDS = 60.0
_TICK = os.sysconf("SC_CLK_TCK")


def run(
    *, workers: list[int], fanpages: int, seconds: float, latency_ms: int, postgresql_url: str | None
) -> dict[str, Any]:
    """Measure each number of workers on a new database, with as many opt-ins as can be sent in the time."""
    results = []
    with named_or_own_server(postgresql_url) as server, stub.running_stub(latency_ms / 1000) as url:
        for count in workers:
            with fresh_database(server):
                override_settings(graph_url=url)
                results.append(_measured(count, fanpages, seconds))
    return {
        "processors": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "fanpages": fanpages,
        "latency_ms": latency_ms,
        "results": results,
    }


@dataclass(frozen=True)
class Reading:
    """What was sent and used at one moment."""

    at: float
    sent: int
    transactions: int | None
    workers_cpu: float
    database_cpu: float | None

    @classmethod
    def taken(cls, started: list[subprocess.Popen[bytes]]) -> Reading:
        sent, transactions = _counted()
        return cls(
            time.perf_counter(),
            sent,
            transactions,
            sum(_cpu(each.pid) for each in started),
            _database_cpu(),
        )


def _measured(count: int, fanpages: int, seconds: float) -> dict[str, Any]:
    migrations.upgrade()
    for number in range(fanpages):
        people = int(RATE * (seconds + 2 * WARM_UP_SECONDS))
        launch_broadcast(number, people, rate=RATE, token=f"bench-{number}")
    with transaction() as db:
        db.execute(text("ANALYZE"))  # as autovacuum does by itself within a minute
    with tempfile.TemporaryFile() as log, workers_running(count, log.fileno()) as started:
        _wait_until_all_send(fanpages)
        time.sleep(WARM_UP_SECONDS)
        first = Reading.taken(started)
        time.sleep(seconds)
        last = Reading.taken(started)
    return figures(count, first, last)


def figures(count: int, first: Reading, last: Reading) -> dict[str, Any]:
    """The figures between two readings."""
    sent, seconds = last.sent - first.sent, last.at - first.at
    workers_cpu = last.workers_cpu - first.workers_cpu
    found: dict[str, Any] = {
        "workers": count,
        "messages_per_second": round(sent / seconds),
        "worker_cpu_s_per_1000": round(workers_cpu / max(sent, 1) * 1000, 3),
        "worker_processors": round(workers_cpu / seconds, 2),
    }
    if last.database_cpu is not None and first.database_cpu is not None:
        database_cpu = last.database_cpu - first.database_cpu
        found["database_cpu_s_per_1000"] = round(database_cpu / max(sent, 1) * 1000, 3)
        found["database_processors"] = round(database_cpu / seconds, 2)
    if last.transactions is not None and first.transactions is not None:
        found["transactions_per_second"] = round((last.transactions - first.transactions) / seconds)
    return found


def launch_broadcast(number: int, people: int, *, rate: int, token: str) -> None:
    """Create a fanpage with so many opt-ins and launch a broadcast to them."""
    from core.accounts.rules import COMMAND_LINE
    from core.bench.broadcast_fixtures import create_opt_ins
    from core.broadcasts import actions
    from core.clock import utc_now

    _, topic_id = create_opt_ins(people, page_id=str(number), rate=rate, token=token)
    content = {"kind": "text", "text": "Hàng mới đã về!"}
    broadcast_id = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=utc_now())
    actions.launch(COMMAND_LINE, broadcast_id, now=utc_now())


@contextmanager
def workers_running(count: int, log: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run so many workers while the block lasts; they log to this file descriptor."""
    command = [sys.executable, "-m", "core", "worker"]
    started = [subprocess.Popen(command, stdout=log, stderr=log) for _ in range(count)]
    try:
        yield started
    finally:
        for each in started:
            each.terminate()
        for each in started:
            each.wait()


def _wait_until_all_send(fanpages: int) -> None:
    sending = text("SELECT count(DISTINCT broadcast_id) FROM delivery WHERE state = 'sent'")
    until = time.monotonic() + START_SECONDS
    while True:
        with reading() as db:
            if db.execute(sending).scalar_one() == fanpages:
                return
        if time.monotonic() > until:
            raise SystemExit("the workers do not send for every fanpage")
        time.sleep(0.5)


def _counted() -> tuple[int, int | None]:
    """Messages sent, and transactions of this database, where it counts them."""
    with reading() as db:
        sent = db.execute(text("SELECT count(*) FROM delivery WHERE state = 'sent'")).scalar_one()
        if is_sqlite(db):
            return int(sent), None
        done = db.execute(
            text(
                "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
            )
        ).scalar_one()
    return int(sent), int(done)


def _database_cpu() -> float | None:
    """Of the processes that serve this database, when it runs on this machine and can be looked at."""
    name = f" {make_url(settings().database_url).database} "
    serving = [each for each in Path("/proc").glob("[0-9]*/cmdline") if _serves(each, name)]
    return sum(_cpu(int(each.parent.name)) for each in serving) if serving else None


def _serves(cmdline: Path, name: str) -> bool:
    try:
        title = cmdline.read_bytes().decode(errors="replace")
    except OSError:
        return False
    return title.startswith("postgres:") and name in title


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK
