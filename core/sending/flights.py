"""When a handful leaves: its slot in the pace row, and a gate that keeps late handfuls apart."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock

from core.messenger.wire import BATCH_LIMIT
from core.sending import pace
from core.sending.rules import batch_size

MAKE_UP = 1.05  # how much faster than the rate a late handful may follow the one before
RESERVE_SECONDS = 0.25  # slots reserved at once
RESERVE_SLOW_SECONDS, SLOW_RATE = 1.0, 8  # where a reservation would be for one message or two
STALE_SECONDS = 0.5
MUCH_SLOWER = 0.8


@dataclass
class Slot:
    """Room in the pace row for `count` messages from a monotonic time on."""

    count: int
    at: float
    seconds: float  # what they take at the rate


class Slots:
    """Slots of a fanpage, reserved for a moment's handfuls at once: a higher rate bites after that moment."""

    def __init__(self, fanpage_id: int, clock: Callable[[], datetime]) -> None:
        self._fanpage_id = fanpage_id
        self._clock = clock
        self._reserved: deque[Slot] = deque()
        self._rate = 0.0

    def next(self, speed: pace.Speed) -> Slot:
        """Kept until it is taken, so that none is wasted, unless it is far too late or much too fast."""
        if speed.rate < self._rate * MUCH_SLOWER:
            self._reserved.clear()
        while self._reserved and self._reserved[0].at < time.monotonic() - STALE_SECONDS:
            self._reserved.popleft()
        if not self._reserved:
            self._reserve(speed)
        return self._reserved[0]

    def take(self) -> Slot:
        return self._reserved.popleft()

    def _reserve(self, speed: pace.Speed) -> None:
        count, self._rate, now = batch_size(speed.rate), speed.rate, self._clock().timestamp()
        moment = RESERVE_SLOW_SECONDS if speed.rate < SLOW_RATE else RESERVE_SECONDS
        handfuls = max(1, int(speed.rate * moment / count))
        wait = pace.reserve(self._fanpage_id, count * handfuls, speed, at=now) - now
        first, seconds = time.monotonic() + wait, count / speed.rate
        self._reserved.extend(Slot(count, first + n * seconds, seconds) for n in range(handfuls))


class Unpaced(Slots):
    """For benchmarks against a stand-in: full batches, at once."""

    def _reserve(self, speed: pace.Speed) -> None:  # noqa: ARG002
        self._reserved.append(Slot(BATCH_LIMIT, time.monotonic(), 0.0))


class Gate:
    """Keeps handfuls apart that come late together, after a stall: they make up for it little by little."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opens = 0.0

    def pass_at(self, at: float, seconds: float, stop: Event) -> None:
        """Wait for a monotonic time, and for the one before to be `seconds` away, or a little less."""
        while not stop.is_set():
            with self._lock:
                now = time.monotonic()
                if now >= max(at, self._opens):
                    self._opens = now + seconds / MAKE_UP
                    return
                left = max(at, self._opens) - now
            stop.wait(left)
