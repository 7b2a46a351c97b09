"""Does things later, in one thread, by the clock of the simulated world."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

LONGEST_WAIT_SECONDS = 0.5  # the world's clock may be put forward meanwhile


class Scheduler:
    """Functions that wait for their time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._keep, name="simulator-scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join()
            self._thread = None

    def at(self, when: float, task: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._heap, (when, next(self._numbers), task))
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def do_due(self) -> int:
        """Do everything that is due, in order. Returns how many functions that were."""
        done = 0
        while (task := self._next_due()) is not None:
            task()
            done += 1
        return done

    def _next_due(self) -> Callable[[], None] | None:
        with self._changed:
            if self._heap and self._heap[0][0] <= self._clock():
                return heapq.heappop(self._heap)[2]
            return None

    def _keep(self) -> None:
        while not self._stopping:
            self.do_due()
            with self._changed:
                if not self._stopping:
                    self._changed.wait(self._wait_time())

    def _wait_time(self) -> float:
        if not self._heap:
            return LONGEST_WAIT_SECONDS
        return min(max(self._heap[0][0] - self._clock(), 0.001), LONGEST_WAIT_SECONDS)
