"""Settles the acceptances of all fanpages of a process together: slow ones have but a few each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Lock

import structlog

from core.database import DATABASE_TROUBLE, is_locked
from core.errors import OperatorError
from core.sending import acceptances
from core.sending.outcomes import Outcome

log = structlog.get_logger(__name__)

SETTLE_SOON_SECONDS = 0.5
SETTLE_FEW_SECONDS, FEW = 2.0, 8  # when they are so few


class Clerk:
    """Whoever finds that it is time settles for all; who leaves takes its own back first (`take_out`)."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._waiting: dict[int, list[Outcome]] = {}  # by fanpage
        self._count = 0
        self._since = float("inf")  # monotonic; when the first of them came in
        self._alone: set[int] = set()  # fanpages whose outcomes were turned down among others
        self._lock = Lock()
        self._settling = Lock()

    def take_in(self, fanpage_id: int, outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            self._waiting.setdefault(fanpage_id, []).extend(outcomes)
            self._count += len(outcomes)
            self._since = min(self._since, time.monotonic())

    def take_out(self, fanpage_id: int) -> list[Outcome]:
        """What is not settled yet; waits for the settling that is under way."""
        if not self.has_some_of(fanpage_id):
            return []
        with self._settling, self._lock:
            self._alone.discard(fanpage_id)
            found = self._waiting.pop(fanpage_id, [])
            self._count -= len(found)
            return found

    def has_some_of(self, fanpage_id: int) -> bool:
        return fanpage_id in self._waiting

    def wants_alone(self, fanpage_id: int) -> bool:
        return fanpage_id in self._alone

    def settle_due(self) -> None:
        waited = time.monotonic() - self._since
        if waited < SETTLE_SOON_SECONDS or (self._count < FEW and waited < SETTLE_FEW_SECONDS):
            return
        if self._settling.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self._settling.release()

    def _settle(self) -> None:
        """They stay with us until the database has them."""
        with self._lock:
            chosen = {each: list(of_one) for each, of_one in self._waiting.items() if each not in self._alone}
            self._since = float("inf")
        if not chosen:
            return
        try:
            acceptances.settle_together(chosen, now=self._clock())
        except Exception as problem:
            self._turned_down(chosen, problem)
        else:
            self._done(chosen)

    def _turned_down(self, chosen: dict[int, list[Outcome]], problem: Exception) -> None:
        passing = isinstance(problem, (*DATABASE_TROUBLE, OperatorError)) and not is_locked(problem)
        with self._lock:
            self._since = time.monotonic()
            if not passing:
                self._alone |= set(chosen)
        if passing:
            raise problem
        log.warning("not_settled_together", fanpages=len(chosen), error=type(problem).__name__)

    def _done(self, chosen: dict[int, list[Outcome]]) -> None:
        with self._lock:
            for fanpage_id, outcomes in chosen.items():
                left = self._waiting[fanpage_id][len(outcomes) :]
                self._count -= len(outcomes)
                if left:
                    self._waiting[fanpage_id] = left
                    self._since = min(self._since, time.monotonic())
                else:
                    del self._waiting[fanpage_id]
