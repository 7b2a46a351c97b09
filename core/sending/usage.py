"""Slows a fanpage down when the platform's usage header says that its limit is nearly reached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.db.engine import transaction
from core.messenger.client import Messenger
from core.sending import rate_limiter

FULL, HIGH = 100.0, 95.0  # percent
LEAST_HOLD_SECONDS = 60.0


class UsageWatch:
    """Remembers which usage headers were heeded, so that each slows its fanpage down once."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen: dict[int, float] = {}  # by fanpage: the last header that was heeded, monotonic

    def heed(self, fanpage_id: int, line: Messenger | None) -> None:
        """After a call: slow the fanpage down if its latest header says 95 % or more, let it wait at 100
        %."""
        usage = line.usage() if line else None
        if usage is None or usage.percent < HIGH or usage.seen_at <= self._seen.get(fanpage_id, 0.0):
            return
        seconds = max(usage.regain_seconds, LEAST_HOLD_SECONDS) if usage.percent >= FULL else 0.0
        with transaction() as db:
            rate_limiter.slow_down(db, fanpage_id, at=self._clock().timestamp(), wait_seconds=seconds)
        self._seen[fanpage_id] = usage.seen_at
