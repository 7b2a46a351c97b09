"""What there is to send, looked at again soon enough that a pause bites at once: one read for all fanpages
that this process sends for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from core.sending import queries

FRESH_SECONDS = 0.15


@dataclass(frozen=True)
class Look:
    """What was seen, and from when: a monotonic time before the read, so it never counts as newer."""

    work: queries.Work | None  # none: the fanpage is stopped or gone
    at: float


NEVER = Look(None, float("-inf"))


class Watch:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._fanpages: dict[int, int] = {}  # by id: how many watch it
        self._looks: dict[int, Look] = {}
        self._lock = Lock()
        self._reading = Lock()

    def start(self, fanpage_id: int) -> None:
        with self._lock:
            self._fanpages[fanpage_id] = self._fanpages.get(fanpage_id, 0) + 1

    def end(self, fanpage_id: int) -> None:
        with self._lock:
            self._fanpages[fanpage_id] -= 1
            if not self._fanpages[fanpage_id]:
                del self._fanpages[fanpage_id]
                self._looks.pop(fanpage_id, None)

    def last(self, fanpage_id: int) -> Look:
        """What was seen last, however old."""
        return self._looks.get(fanpage_id, NEVER)

    def fresh(self, fanpage_id: int, *, after: float = 0.0) -> Look:
        """A look that is young enough, and from after a monotonic time if possible; while another thread
        is reading, the one before will do."""
        if self._is_old(fanpage_id, after) and self._reading.acquire(blocking=self.last(fanpage_id) is NEVER):
            try:
                if self._is_old(fanpage_id, after):
                    self._read()
            finally:
                self._reading.release()
        return self.last(fanpage_id)

    def _is_old(self, fanpage_id: int, after: float) -> bool:
        at = self.last(fanpage_id).at
        return at < after or time.monotonic() - at >= FRESH_SECONDS

    def _read(self) -> None:
        with self._lock:
            watched = sorted(self._fanpages)
        began = time.monotonic()
        found = queries.work_of(watched, now=self._clock())
        with self._lock:
            for fanpage_id in watched:
                if fanpage_id in self._fanpages:
                    self._looks[fanpage_id] = Look(found.get(fanpage_id), began)
