"""Whether the clock is believed with what cannot be taken back: an opt-in that ends, a broadcast that starts
or is missed, rows that are deleted.

A machine that boots without a battery, or wakes up, may be days away until its time is synchronised.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import structlog

FAR_SECONDS = 600.0  # what is nearer starts nothing that does harm
ASK_AGAIN_SECONDS = 900.0

log = structlog.get_logger(__name__)


class ClockTrust:
    """Compares the clock with somebody else's: once at the beginning, after each jump, and now and then.

    `seconds_off` asks them: by how much we differ, None when they do not answer. `is_needed` says whether
    there is anything to lose."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        seconds_off: Callable[[], float | None],
        is_needed: Callable[[], bool],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._seconds_off = seconds_off
        self._is_needed = is_needed
        self._steady = steady
        self._ahead: float | None = None  # of the clock before the steady one, when it was last right
        self._is_far = False  # they said so
        self._asked_at = float("-inf")

    def is_not_doubted(self) -> bool:
        """Whether nothing speaks against the clock. It asks nobody, so it may be called at any time."""
        return not self._is_far and not self._has_jumped()

    def is_confirmed(self) -> bool:
        """Whether they have agreed with the clock, as it runs now."""
        return self._ahead is not None and self.is_not_doubted()

    def look(self) -> None:
        """Ask them when it is time; called every few seconds."""
        if self.is_confirmed() and self._steady() - self._asked_at < ASK_AGAIN_SECONDS:
            return
        off = self._seconds_off() if self._is_needed() else 0.0
        if off is None:  # what was confirmed stays so until the next jump
            return
        was_far, self._is_far = self._is_far, abs(off) > FAR_SECONDS
        self._asked_at = self._steady()
        if not self._is_far:
            self._ahead = self._clock().timestamp() - self._steady()
        if self._is_far != was_far:
            log.warning("clock_not_believed" if self._is_far else "clock_believed_again", seconds=round(off))

    def _has_jumped(self) -> bool:
        if self._ahead is None:
            return False
        return abs(self._clock().timestamp() - self._steady() - self._ahead) > FAR_SECONDS
