"""Whether the clock is believed with what cannot be taken back: opt-ins that end, rows that are deleted.

A machine that boots without a battery, or wakes up, may be days away until its time is synchronised.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import structlog

FAR_SECONDS = 600.0  # what is nearer does no harm
ASK_AGAIN_SECONDS = 900.0

log = structlog.get_logger(__name__)


class ClockTrust:
    """Compares the clock with somebody else's: the first time, after each jump, and now and then.

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

    def is_right(self) -> bool:
        """Whether they agree with the clock. It asks them, unless they have said so a while ago and it has
        not jumped since; what they have said holds while they do not answer."""
        if not self._is_needed():
            return True
        if not self._is_confirmed() or self._steady() - self._asked_at >= ASK_AGAIN_SECONDS:
            self._ask()
        return self._is_confirmed()

    def _is_confirmed(self) -> bool:
        if self._is_far or self._ahead is None:
            return False
        return abs(self._clock().timestamp() - self._steady() - self._ahead) <= FAR_SECONDS

    def _ask(self) -> None:
        off = self._seconds_off()
        if off is None:
            return
        was_far, self._is_far = self._is_far, abs(off) > FAR_SECONDS
        self._asked_at = self._steady()
        if not self._is_far:
            self._ahead = self._clock().timestamp() - self._steady()
        if self._is_far != was_far:
            log.warning("clock_not_believed" if self._is_far else "clock_believed_again", seconds=round(off))
