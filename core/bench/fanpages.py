"""`bench fanpages`: many slow fanpages at once: whether each keeps its own rate, and what a message of theirs
costs beside one of a single fast fanpage, measured first, on the same database with as many workers.

Rates are measured by the receiver's clock; workers, database and receiver share the machine's processors.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from core.accounts.rules import COMMAND_LINE
from core.bench import busy_processes, scale, stub
from core.bench.databases import fresh_database
from core.bench.kept_rate import KeptRate
from core.bench.receiver import TOKEN, Receiver, arrivals
from core.bench.server import named_or_own_server
from core.broadcasts import actions
from core.clock import utc_now
from core.db import migrations
from core.db.engine import is_sqlite, reading, transaction
from core.settings import override_settings

FAST_RATE = 300
WARM_UP_SECONDS = 6.0
START_SECONDS = 120.0
LARGER_BY = 5_000  # people


def run(
    *,
    fanpages: int,
    rate: int,
    workers: int,
    seconds: float,
    busy: int,
    on_sqlite: bool,
    postgresql_url: str | None,
) -> dict[str, Any]:
    """Measure one fast fanpage, then many slow ones, and return the figures of both."""
    with ExitStack() as open_ones:
        server = None if on_sqlite else open_ones.enter_context(named_or_own_server(postgresql_url))
        url = open_ones.enter_context(stub.serving_stub(Receiver))
        open_ones.enter_context(fresh_database(server))
        open_ones.enter_context(busy_processes.running_beside(busy))
        override_settings(graph_url=url)
        migrations.upgrade()
        one, _ = _measured(_Measurement(url, range(1), FAST_RATE, workers, seconds))
        _end_broadcasts()
        many, kept = _measured(_Measurement(url, range(1, fanpages + 1), rate, workers, seconds))
    about = {"fanpages": fanpages, "rate": rate, "seconds": seconds, "busy": busy}
    ratio = {"cost_ratio": round(_cost(many) / _cost(one), 2) if _cost(one) else None}
    listed = {"results": [each.figures() for each in kept]}
    return {**about, **_machine(), **many, **_of_all(kept), "one_fanpage": one, **ratio, **listed}


@dataclass(frozen=True)
class _Measurement:
    """A measurement of fanpages that send at the same time, each at the same rate."""

    url: str
    numbers: range
    rate: int
    workers: int
    seconds: float

    def launch(self) -> None:
        """Launch a broadcast for each fanpage, large enough for however long the start takes.
        One in ten is much larger."""
        people = int(self.rate * (self.seconds + START_SECONDS))
        larger = min(10 * people, people + LARGER_BY)
        for place, number in enumerate(self.numbers):
            size = larger if place % 10 == 1 else people
            scale.launch_broadcast(number, size, rate=self.rate, token=TOKEN.format(number))


def _measured(measurement: _Measurement) -> tuple[dict[str, Any], list[KeptRate]]:
    """Measure what the workers do and cost, and how each fanpage keeps its rate."""
    measurement.launch()
    with transaction() as db:
        if not is_sqlite(db):
            db.execute(text("ANALYZE"))  # as autovacuum does by itself within a minute
    with tempfile.TemporaryFile() as log, scale.workers_running(measurement.workers, log.fileno()) as started:
        _wait_until_all_send(measurement)
        time.sleep(WARM_UP_SECONDS)
        first = scale.Reading.taken(started)
        began = time.monotonic()
        time.sleep(measurement.seconds)
        ended = time.monotonic()
        last = scale.Reading.taken(started)
    arrived = arrivals(measurement.url)
    kept = [
        KeptRate(number, measurement.rate, arrived[number], began, ended) for number in measurement.numbers
    ]
    return {"rate": measurement.rate, **scale.figures(measurement.workers, first, last)}, kept


def _end_broadcasts() -> None:
    """Cancel the broadcasts of the first measurement, so that only those of the second are sent."""
    with reading() as db:
        ids = db.execute(text("SELECT id FROM broadcast")).scalars().all()
    for broadcast_id in ids:
        actions.cancel(COMMAND_LINE, broadcast_id, now=utc_now())


def _cost(figures: dict[str, Any]) -> float:
    return float(figures["worker_cpu_s_per_1000"])


def _machine() -> dict[str, Any]:
    return {"processors": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}


def _of_all(kept: list[KeptRate]) -> dict[str, Any]:
    per_second = [each.messages_per_second for each in kept]
    return {
        "slowest": round(min(per_second), 3),
        "median": round(statistics.median(per_second), 3),
        "fastest": round(max(per_second), 3),
        "all_keep_10_s": all(each.keeps_10_s for each in kept),
        "all_keep_60_s": None if kept[0].keeps_60_s is None else all(each.keeps_60_s for each in kept),
        "too_slow_or_too_fast": sum(not each.keeps_10_s or each.keeps_60_s is False for each in kept),
        "fullest_1_s": max(each.fullest_1_s for each in kept),
        "limit_1_s": kept[0].rate + max(1, kept[0].rate // 10),
    }


def _wait_until_all_send(measurement: _Measurement) -> None:
    """Wait until every fanpage sends and every audience is complete, since making it is no part
    of what a message costs."""
    until = time.monotonic() + START_SECONDS
    while not (set(measurement.numbers) <= set(arrivals(measurement.url)) and _audiences_are_complete()):
        if time.monotonic() > until:
            raise SystemExit("the workers do not send for every fanpage")
        time.sleep(1.0)


def _audiences_are_complete() -> bool:
    """Whether every opt-in of this database is in a broadcast."""
    left = text("SELECT (SELECT count(*) FROM opt_in) - (SELECT count(*) FROM delivery)")
    with reading() as db:
        return int(db.execute(left).scalar_one()) == 0
