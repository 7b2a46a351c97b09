"""What happens a little later in the pretend world: one thread, ordered by the world's clock."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

LONGEST_NAP_SECONDS = 0.5  # the world's clock may be put forward meanwhile


class Scheduler:
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

    def at(self, when: float, deed: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._heap, (when, next(self._numbers), deed))
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def do_due(self) -> int:
        """Does everything due by now, in order; how much that was."""
        done = 0
        while (deed := self._next_due()) is not None:
            deed()
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
                    self._changed.wait(self._nap())

    def _nap(self) -> float:
        if not self._heap:
            return LONGEST_NAP_SECONDS
        return min(max(self._heap[0][0] - self._clock(), 0.001), LONGEST_NAP_SECONDS)
