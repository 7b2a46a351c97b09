"""Lets each call leave at its moment, whatever the sending loop is waiting for."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

LATE_SECONDS = 0.1  # a call so late means that this process stood still

T = TypeVar("T")


class CallSchedule(Generic[T]):
    """Calls by the moment at which they leave, in monotonic seconds; a thread of its own lets them leave.

    After a stall of this process all of them are put off by its length, so that those whose moment was missed
    do not leave at once.
    """

    def __init__(self, leave: Callable[[T], object]) -> None:
        self._leave = leave  # called in the thread of the schedule; must not take long
        self._waiting: list[tuple[float, int, T]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self.delay = 0.0  # how many seconds later everything leaves by now than it was planned at first
        self._is_closed = False
        threading.Thread(target=self._run, name="schedule", daemon=True).start()

    def add(self, calls: Sequence[tuple[float, T]], *, known_delay: float) -> None:
        """`known_delay`: what `delay` was when they were planned. What was put off since puts them off, too:
        they leave behind those that were planned before."""
        with self._changed:
            later = self.delay - known_delay
            self._waiting += [(at + later, next(self._numbers), call) for at, call in calls]
            heapq.heapify(self._waiting)
            self._changed.notify()

    def recall(self) -> list[T]:
        """Take back every call that has not left yet, in the order in which they would have left."""
        with self._changed:
            calls = [call for _, _, call in sorted(self._waiting)]
            self._waiting.clear()
            return calls

    def change(self, change: Callable[[list[tuple[float, T]]], object]) -> list[T]:
        """Let `change` take messages out of the calls that have not left; it is given each with the moment at
        which it leaves. Calls without any left are dropped, and returned."""
        with self._changed:
            change([(at, call) for at, _, call in self._waiting])
            dropped = [call for _, _, call in self._waiting if not call]
            self._waiting = [each for each in self._waiting if each[2]]
            heapq.heapify(self._waiting)
            return dropped

    def close(self) -> None:
        """End the thread; what has not left by then never leaves."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._waiting)

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                self._leave(call)
            except Exception:  # the pool is shut down: the process ends
                log.exception("call_not_started")

    def _next(self) -> T | None:
        """Wait until a call is due, and take it. None once closed."""
        with self._changed:
            while not self._is_closed:
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is not None and left < -LATE_SECONDS:
                    self._put_off(-left)
                elif left is not None and left <= 0:
                    return heapq.heappop(self._waiting)[2]
                else:
                    self._changed.wait(left)
        return None

    def _put_off(self, seconds: float) -> None:
        self._waiting = [(at + seconds, number, call) for at, number, call in self._waiting]
        self.delay += seconds
