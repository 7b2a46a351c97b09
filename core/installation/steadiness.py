"""Whether the clock runs evenly: after a jump, leases and heartbeats say nothing for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

JUMP_SECONDS = 2.0


class Steadiness:
    """Asked regularly. What was claimed before a jump is settled within a lease; only then is what is left
    over really lost."""

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

    def is_even(self) -> bool:
        now = self._steady()
        ahead = self._clock().timestamp() - now
        if self._ahead is not None and abs(ahead - self._ahead) > JUMP_SECONDS:
            self._jumped_at = now
        self._ahead = ahead
        return now - self._jumped_at > self._lease_seconds
