"""`bench pace`: how close to its rate a real worker keeps each fanpage, by the receiver's clock.

Every rate is a fanpage of its own, and all are sent for at once, each answer taking 50 to 300 ms.
"""

from __future__ import annotations

import tempfile
import time
from typing import Any

from core.bench import scale, stub, time_windows
from core.bench.databases import fresh_database
from core.bench.receiver import TOKEN, Arrived, Receiver, arrivals
from core.db import migrations
from core.settings import override_settings

WINDOW_SECONDS = 10.0
MARGIN_SECONDS = 5.0  # work for longer than we look, so that it never runs out


def run(*, rates: list[int], seconds: float, workers: int, postgresql_url: str | None) -> dict[str, Any]:
    """Measure how close fanpages of these rates are kept to them."""
    with stub.serving_stub(Receiver) as url, fresh_database(postgresql_url):
        override_settings(graph_url=url)
        migrations.upgrade()
        for rate in rates:
            people = int(rate * (seconds + MARGIN_SECONDS) * 1.2) + 1
            scale.launch_broadcast(rate, people, rate=rate, token=TOKEN.format(rate))
        with tempfile.TemporaryFile() as log, scale.workers_running(workers, log.fileno()):
            _wait_until_all_arrive(url, rates)
            time.sleep(seconds)
        arrived = arrivals(url)
    return {"workers": workers, "results": [figures(rate, arrived[rate], seconds) for rate in rates]}


def _wait_until_all_arrive(url: str, rates: list[int]) -> None:
    until = time.monotonic() + 60
    while set(arrivals(url)) < set(rates):
        if time.monotonic() > until:
            raise SystemExit("the worker sends nothing")
        time.sleep(0.2)


def figures(rate: int, arrived: Arrived, seconds: float) -> dict[str, Any]:
    """Averages over every window of ten seconds, and the fullest second; both may begin anywhere."""
    arrived.sort()
    arrived = [each for each in arrived if each[0] <= arrived[0][0] + seconds]
    averages = [found / WINDOW_SECONDS for found in time_windows.from_each_arrival(arrived, WINDOW_SECONDS)]
    fullest = max(time_windows.from_each_arrival(arrived, 1.0), default=0)
    batch = max(1, rate // 10)
    off = max((abs(average / rate - 1) for average in averages), default=1.0)
    return {
        "rate": rate,
        "messages": sum(count for _, count in arrived),
        "slowest_10_s": round(min(averages, default=0.0), 2),
        "fastest_10_s": round(max(averages, default=0.0), 2),
        "off_percent": round(off * 100, 2),
        "fullest_1_s": fullest,
        "limit_1_s": rate + batch,
        "largest_batch": max(count for _, count in arrived),
    }
