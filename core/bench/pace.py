"""`bench pace`: how close to its rate a real worker keeps each fanpage, by the receiver's clock.

Every rate is a fanpage of its own, and all are sent for at once, each answer taking 50 to 300 ms.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate
from typing import Any

import requests

from core import migrations
from core.bench import scale, stub
from core.bench.databases import fresh
from core.settings import use

LATENCY_SECONDS = (0.05, 0.3)
WINDOW_SECONDS = 10.0
MARGIN_SECONDS = 5.0  # work for longer than we look, so that it never runs out
TOKEN = "pace-{}"  # a fanpage's access token tells the receiver its rate
_RATE = re.compile(rb"pace-(\d+)")
_RATE_OF_ITEM = re.compile(rb"access_token%3Dpace-(\d+)")  # an item of a batch, with a token of its own

Arrivals = dict[int, list[tuple[float, int]]]  # by rate: when, how many


class Receiver(stub.Stub):
    """Takes everything and notes when."""

    def __init__(self) -> None:
        super().__init__(0.0)

    def answer_to(self, head: bytes, body: bytes) -> bytes:
        self.latency = 0.0
        if head.startswith(b"get"):
            return stub.document(_arrived)
        self.latency = random.uniform(*LATENCY_SECONDS)
        at = time.monotonic()
        _arrived.extend((rate, at, count) for rate, count in messages_of(head, body).items())
        return super().answer_to(head, body)


def messages_of(head: bytes, body: bytes) -> dict[int, int]:
    """How many messages of one call are whose; an item without a token goes by that of the call."""
    found = Counter(int(rate) for rate in _RATE_OF_ITEM.findall(body))
    if others := (stub.items_of(head, body) or 1) - found.total():
        named = _RATE.search(head) or _RATE.search(body)
        found[int(named[1]) if named else 0] += others
    return found


_arrived: list[tuple[int, float, int]] = []  # in the receiver's process


def run(*, rates: list[int], seconds: float, workers: int, postgresql_url: str | None) -> dict[str, Any]:
    with stub.serving(Receiver) as url, fresh(postgresql_url):
        use(graph_url=url)
        migrations.upgrade()
        for rate in rates:
            people = int(rate * (seconds + MARGIN_SECONDS) * 1.2) + 1
            scale.launch(rate, people, rate=rate, token=TOKEN.format(rate))
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


def arrivals(url: str) -> Arrivals:
    found: Arrivals = defaultdict(list)
    for rate, at, count in requests.get(url, timeout=30).json():
        found[rate].append((at, count))
    return found


def figures(rate: int, arrived: list[tuple[float, int]], seconds: float) -> dict[str, Any]:
    """Averages over every window of ten seconds, and the fullest second; both may begin anywhere."""
    arrived.sort()
    arrived = [each for each in arrived if each[0] <= arrived[0][0] + seconds]
    averages = [found / WINDOW_SECONDS for found in _windows(arrived, WINDOW_SECONDS)]
    fullest = max(_windows(arrived, 1.0), default=0)
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


def _windows(arrived: list[tuple[float, int]], seconds: float) -> list[int]:
    """Messages in each whole window that begins at an arrival."""
    times = [at for at, _ in arrived]
    sums = [0, *accumulate(count for _, count in arrived)]
    return [
        sums[bisect_left(times, at + seconds)] - sums[place]
        for place, at in enumerate(times)
        if at + seconds <= times[-1]
    ]
