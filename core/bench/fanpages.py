"""`bench fanpages`: many slow fanpages at once: whether each keeps its own rate, and what that costs.

Pace is measured by the receiver's clock; workers, database and receiver share the machine's processors.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from typing import Any

from sqlalchemy import text

from core import migrations
from core.bench import pace, scale, stub
from core.bench.databases import fresh
from core.bench.server import named_or_own
from core.database import is_sqlite, transaction
from core.settings import use

WARM_UP_SECONDS = 6.0
START_SECONDS = 120.0


def run(
    *, fanpages: int, rate: int, workers: int, seconds: float, on_sqlite: bool, postgresql_url: str | None
) -> dict[str, Any]:
    """One fanpage in ten has a broadcast ten times as large; none runs dry."""
    with ExitStack() as open_ones:
        server = None if on_sqlite else open_ones.enter_context(named_or_own(postgresql_url))
        url = open_ones.enter_context(stub.serving(pace.Receiver))
        open_ones.enter_context(fresh(server))
        use(graph_url=url)
        return _measured(url, fanpages, rate, workers, seconds)


def _measured(url: str, fanpages: int, rate: int, workers: int, seconds: float) -> dict[str, Any]:
    migrations.upgrade()
    people = int(rate * (seconds + START_SECONDS / 2))
    for number in range(fanpages):
        scale.launch(number, people * (10 if number % 10 == 0 else 1), rate=rate, token=f"pace-{number}")
    with transaction() as db:
        if not is_sqlite(db):
            db.execute(text("ANALYZE"))  # as autovacuum does by itself within a minute
    with tempfile.TemporaryFile() as log, scale.workers_running(workers, log.fileno()) as started:
        _wait_until_all_send(url, fanpages)
        time.sleep(WARM_UP_SECONDS)
        first = scale.Reading.taken(started)
        began = time.monotonic()
        time.sleep(seconds)
        ended = time.monotonic()
        last = scale.Reading.taken(started)
    arrivals = pace.arrivals(url)
    found = [pace.figures(rate, _between(arrivals[n], began, ended), seconds) for n in range(fanpages)]
    about = {"fanpages": fanpages, "rate": rate, "load": round(os.getloadavg()[0], 1)}
    return {**about, **scale.figures(workers, first, last), **_of_all(found, seconds)}


def _between(arrived: list[tuple[float, int]], began: float, ended: float) -> list[tuple[float, int]]:
    return [each for each in arrived if began <= each[0] <= ended]


def _of_all(found: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    per_second = [each["messages"] / seconds for each in found]
    return {
        "slowest_fanpage": round(min(per_second), 3),
        "median_fanpage": round(statistics.median(per_second), 3),
        "fastest_fanpage": round(max(per_second), 3),
        "slowest_10_s": min(each["slowest_10_s"] for each in found),
        "fastest_10_s": max(each["fastest_10_s"] for each in found),
        "too_slow_or_too_fast": sum(_is_off(each) for each in found),
        "fullest_1_s": max(each["fullest_1_s"] for each in found),
        "limit_1_s": found[0]["limit_1_s"],
    }


def _is_off(found: dict[str, Any]) -> bool:
    """By more than 2 %, and by more than a message: in ten seconds a window holds one more or less."""
    allowed = max(0.02 * found["rate"], 1.0 / pace.WINDOW_SECONDS) + 0.001
    slow, fast = found["rate"] - found["slowest_10_s"], found["fastest_10_s"] - found["rate"]
    return bool(max(slow, fast) > allowed)


def _wait_until_all_send(url: str, fanpages: int) -> None:
    until = time.monotonic() + START_SECONDS
    while len(pace.arrivals(url)) < fanpages:
        if time.monotonic() > until:
            raise SystemExit("the workers do not send for every fanpage")
        time.sleep(1.0)
