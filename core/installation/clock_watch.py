"""Notices jumps of the clock, after which leases and heartbeats say nothing for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

JUMP_SECONDS = 2.0


class ClockWatch:
    """Compares the clock with the monotonic one at each call. What was claimed before a jump is settled
    within a lease; only what is left after it is lost."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        lease_seconds: float,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._steady = steady
        self._ahead: float | None = None  # of the clock before the steady one
        self._jumped_at = float("-inf")

    def has_not_jumped(self) -> bool:
        """Whether the clock has not jumped within the last lease."""
        now = self._steady()
        ahead = self._clock().timestamp() - now
        if self._ahead is not None and abs(ahead - self._ahead) > JUMP_SECONDS:
            self._jumped_at = now
        self._ahead = ahead
        return now - self._jumped_at > self._lease_seconds
