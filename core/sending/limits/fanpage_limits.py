"""What refusals and usage headers say about a whole fanpage: slower, nothing for a while, or stopped until a
person repairs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import CursorResult
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.rules import SYSTEM
from core.broadcasts import transitions
from core.broadcasts.rules import BroadcastState
from core.db import bulk, row_locks
from core.db.engine import transaction, unless_locked, wait_for_locks
from core.db.tables import Fanpage
from core.messenger.client import Messenger
from core.messenger.errors import Failure, NextStep
from core.sending.limits import rate_limiter
from core.sending.replies.claims import ReplyClaim
from core.sending.rules import NOT_SENT_SECONDS, PATIENCE_OF_ALL
from core.sending.senders.sender import Claim

FULL, HIGH = 100.0, 95.0  # percent of what the usage header counts
LEAST_HOLD_SECONDS = 60.0
SLOW_DOWN_SECONDS = 2.0  # a wait when the platform names none


def by_fanpage(refused: Iterable[tuple[Claim | ReplyClaim, Failure]]) -> dict[int, list[Failure]]:
    """The refusals of these claims by fanpage."""
    found: dict[int, list[Failure]] = {}
    for claim, failure in refused:
        found.setdefault(claim.fanpage_id, []).append(failure)
    return found


def stopped_by(failures: Mapping[int, Sequence[Failure]]) -> set[int]:
    """The fanpages that these refusals (by fanpage) stop."""
    return {key for key, said in failures.items() if any(f.step == NextStep.STOP_FANPAGE for f in said)}


def lock_what_stops(db: Session, failures: Mapping[int, Sequence[Failure]]) -> None:
    """Lock the fanpages that these refusals (by fanpage) stop, with their sending broadcasts; to be called
    before any other row is changed."""
    for fanpage_id in sorted(stopped_by(failures)):
        row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.SENDING)


def follow_up(db: Session, failures: Mapping[int, Sequence[Failure]], now: datetime) -> None:
    """Slow down, let wait or stop each fanpage, as its refusals ask for."""
    at = now.timestamp()
    for fanpage_id in sorted(failures):
        said = failures[fanpage_id]
        waits = [f.retry_after_seconds or SLOW_DOWN_SECONDS for f in said if f.step == NextStep.SLOW_DOWN]
        if waits:
            rate_limiter.slow_down(db, fanpage_id, at=at, wait_seconds=max(waits))
        if any(f.step == NextStep.NOT_SENT for f in said):
            rate_limiter.make_wait(db, fanpage_id, at=at, seconds=NOT_SENT_SECONDS)
        stops = [f.reason for f in said if f.step == NextStep.STOP_FANPAGE]
        if stops:
            stop_fanpage(db, fanpage_id, stops[0], now=now)


def stop_fanpage(db: Session, fanpage_id: int, code: str, *, now: datetime) -> None:
    """Stop a fanpage and pause its broadcasts until a person repairs it. The first `code` says why."""
    stopped = db.execute(
        bulk.change(Fanpage, col(Fanpage.id) == fanpage_id, col(Fanpage.stopped_code).is_(None)).values(
            stopped_code=code, stopped_at=now
        )
    )
    transitions.stop_all_of(db, fanpage_id, code, now=now)
    if isinstance(stopped, CursorResult) and stopped.rowcount:
        activity_log.record(db, SYSTEM, "fanpage.stop", now=now, fanpage_id=fanpage_id, code=code)


class UsageWatch:
    """Remembers which usage headers were heeded, so that each slows its fanpage down once."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen: dict[int, float] = {}  # by fanpage: the last header that was heeded, monotonic

    def heed(self, fanpage_id: int, connection: Messenger | None) -> None:
        """After a call: slow the fanpage down at 95 % in its latest header, let it wait at 100 %."""
        usage = connection.usage() if connection else None
        if usage is None or usage.percent < HIGH or usage.seen_at <= self._seen.get(fanpage_id, 0.0):
            return
        seconds = max(usage.regain_seconds, LEAST_HOLD_SECONDS) if usage.percent >= FULL else 0.0
        with unless_locked():  # else after its next call
            with transaction() as db:
                wait_for_locks(db, PATIENCE_OF_ALL)
                rate_limiter.slow_down(db, fanpage_id, at=self._clock().timestamp(), wait_seconds=seconds)
            self._seen[fanpage_id] = usage.seen_at
