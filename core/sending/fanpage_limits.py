"""What refusals say about a whole fanpage: slower, nothing for a while, or stopped until a person repairs
it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.rules import SYSTEM
from core.broadcasts import transitions
from core.broadcasts.rules import BroadcastState
from core.db import row_locks
from core.db.tables import Fanpage
from core.messenger.errors import Failure, NextStep
from core.sending import rate_limiter
from core.sending.rules import NOT_SENT_SECONDS

SLOW_DOWN_SECONDS = 2.0  # a wait when the platform names none


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
    for fanpage_id in sorted(failures):
        _follow_up(db, fanpage_id, failures[fanpage_id], now)


def _follow_up(db: Session, fanpage_id: int, failures: Sequence[Failure], now: datetime) -> None:
    at = now.timestamp()
    slow = [f for f in failures if f.step == NextStep.SLOW_DOWN]
    if slow:
        longest = max(f.retry_after_seconds or SLOW_DOWN_SECONDS for f in slow)
        rate_limiter.slow_down(db, fanpage_id, at=at, wait_seconds=longest)
    if any(f.step == NextStep.NOT_SENT for f in failures):
        rate_limiter.make_wait(db, fanpage_id, at=at, seconds=NOT_SENT_SECONDS)
    stops = [f for f in failures if f.step == NextStep.STOP_FANPAGE]
    if stops:
        stop_fanpage(db, fanpage_id, stops[0].reason, now=now)


def stop_fanpage(db: Session, fanpage_id: int, code: str, *, now: datetime) -> None:
    """Stop a fanpage and pause its broadcasts until a person repairs it. The first `code` says why."""
    stopped = db.execute(
        update(Fanpage)
        .where(col(Fanpage.id) == fanpage_id, col(Fanpage.stopped_code).is_(None))
        .values(stopped_code=code, stopped_at=now)
        .execution_options(synchronize_session=False)
    )
    transitions.stop_all_of(db, fanpage_id, code, now=now)
    if isinstance(stopped, CursorResult) and stopped.rowcount:
        activity_log.record(db, SYSTEM, "fanpage.stop", now=now, fanpage_id=fanpage_id, code=code)
