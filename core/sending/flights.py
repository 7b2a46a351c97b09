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

# How much faster than the rate late handfuls follow each other: in no second one more of them than at the
# rate, so that one more may be delayed into it by the wire.
MAKE_UP = 1.025
RESERVE_SECONDS = 0.25  # slots reserved at once
RESERVE_SLOW_SECONDS, SLOW_RATE = 4.0, 8  # where a reservation would be for one message or two
STALE_SECONDS = pace.CATCH_UP_SECONDS
MUCH_SLOWER, MUCH_FASTER = 0.8, 1.25
ALMOST = 0.01  # seconds; times are reckoned with
SAME = 0.001  # seconds; the shortest slot takes three times as long


@dataclass
class Slot:
    """Room in the pace row for `count` messages from a monotonic time on."""

    count: int
    at: float
    seconds: float  # what they take at the rate
    said: float = 0.0  # the same time as the pace row has it


class Slots:
    """Slots of a fanpage, reserved for a moment's handfuls at once: a higher rate bites after that moment,
    and at once where the moment is long."""

    def __init__(self, fanpage_id: int, clock: Callable[[], datetime]) -> None:
        self._fanpage_id = fanpage_id
        self._clock = clock
        self._reserved: deque[Slot] = deque()
        self._rate = 0.0
        self._upto = 0.0  # what our last reservation left in the pace row
        self._since = 0.0  # from there to `_upto` all is ours

    def next(self, speed: pace.Speed) -> Slot:
        """Kept until it is taken, so that none is wasted, unless it is far too late or much too fast."""
        if speed.rate < self._rate * MUCH_SLOWER or self._is_too_slow(speed) or self._is_held(speed):
            self.give_back()
        while self._reserved and self._reserved[0].at < time.monotonic() - STALE_SECONDS:
            self._reserved.popleft()
        if not self._reserved:
            self._reserve(speed)
        return self._reserved[0]

    def take(self) -> Slot:
        return self._reserved.popleft()

    def give_back(self) -> None:
        """To the pace row; those of a short moment are not worth it."""
        if self._reserved and self._rate < SLOW_RATE:
            pace.give_back(self._fanpage_id, upto=self._upto, begin=self._reserved[0].said)
        self._reserved.clear()

    def give_back_after(self, left: float) -> None:
        """Once nothing more leaves: all behind the last slot that something left at, as the pace row has it;
        so another worker goes on there at once."""
        self._reserved.clear()
        length = batch_size(self._rate) / self._rate if self._rate else 0.0
        begin = max(left + length, self._since, self._clock().timestamp())
        upto, self._upto = self._upto, 0.0
        if begin < upto - ALMOST:
            pace.give_back(self._fanpage_id, upto=upto, begin=begin)

    def _is_too_slow(self, speed: pace.Speed) -> bool:
        return self._rate < SLOW_RATE and speed.rate > self._rate * MUCH_FASTER

    def _is_held(self, speed: pace.Speed) -> bool:
        return bool(self._reserved) and self._reserved[0].said < speed.held_until - ALMOST

    def _reserve(self, speed: pace.Speed) -> None:
        count, self._rate, now = batch_size(speed.rate), speed.rate, self._clock().timestamp()
        moment = RESERVE_SLOW_SECONDS if speed.rate < SLOW_RATE else RESERVE_SECONDS
        handfuls = max(1, int(speed.rate * moment / count))
        said, upto = pace.reserve(self._fanpage_id, count * handfuls, speed, at=now)
        self._since = self._since if abs(said - self._upto) < SAME else said
        self._upto = upto
        first, seconds = time.monotonic() + said - now, count / speed.rate
        self._reserved.extend(
            Slot(count, first + n * seconds, seconds, said + n * seconds) for n in range(handfuls)
        )


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
