"""The canary: the first few go out, then the broadcast waits for their outcome and goes on or stops.

Opt-ins cannot be bought back, so a mistake should cost fifty of them rather than all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlmodel import Session, col

from core.accounts.authorising import authorise, of
from core.accounts.rules import SYSTEM, Actor, Permission
from core.broadcasts import due, transitions
from core.broadcasts.rows import get_row, record
from core.broadcasts.rules import BroadcastState
from core.db.engine import reading, transaction, unless_locked, wait_for_locks
from core.db.tables import Broadcast, Delivery
from core.db.work_queue import enqueue
from core.deliveries.rules import UNREACHABLE_REASONS, DeliveryState

USUAL_SIZE = 50
LARGEST = 10_000
NO_LIMIT = 2**62  # greater than the id of any delivery
PATIENCE = "500ms"  # for the row of a broadcast that is being changed


@dataclass(frozen=True)
class CanaryOutcome:
    """How the canary fared; shares are of its size."""

    size: int
    left: int
    failed: int  # turned down or unknown, the unreachable aside
    blocked: int

    def is_bad(self, max_failed: float, max_blocked: float) -> bool:
        return self.failed > self.size * max_failed or self.blocked > self.size * max_blocked


def let_rest_go(by: Actor, broadcast_id: int, *, now: datetime) -> None:
    """Let the rest go out without waiting for the outcome of the first part. Raises WrongState
    unless the broadcast is sending."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = get_row(db, broadcast_id, lock=True)
        if broadcast.state != BroadcastState.SENDING:
            raise transitions.not_possible(broadcast)
        if broadcast.canary_last_id is not None and broadcast.canary_passed_at is None:
            broadcast.canary_passed_at = now
            record(db, by, "broadcast.release_rest", broadcast, now=now)
            enqueue(db, [broadcast.fanpage_id])


def mark_first(db: Session, broadcast: Broadcast) -> None:
    """Remember the last delivery of the first part, when the broadcast starts."""
    if not 0 < broadcast.canary_size < broadcast.audience:
        return
    broadcast.canary_last_id = db.execute(
        select(col(Delivery.id))
        .where(col(Delivery.broadcast_id) == broadcast.id)
        .order_by(col(Delivery.id))
        .offset(broadcast.canary_size - 1)
        .limit(1)
    ).scalar_one()


def may_be_sent() -> ColumnElement[bool]:
    """Whether a delivery, joined with its broadcast, is in the first part or the rest may go."""
    return or_(
        col(Broadcast.canary_last_id).is_(None),
        col(Broadcast.canary_passed_at).is_not(None),
        col(Delivery.id) <= col(Broadcast.canary_last_id),
    )


def last_that_may_be_sent() -> ColumnElement[int]:
    """The same as the greatest id of a delivery that may be sent, of a broadcast alone."""
    waits = and_(col(Broadcast.canary_last_id).is_not(None), col(Broadcast.canary_passed_at).is_(None))
    return case((waits, col(Broadcast.canary_last_id)), else_=NO_LIMIT).label("last_id")


def judge(*, now: datetime) -> None:
    """Let broadcasts go on, or pause them, whose first part has ended. A transaction for each, so that none
    waits long for another."""
    ended = select(col(Broadcast.id)).where(due.has_ended_canary()).order_by(col(Broadcast.id))
    with reading() as db:
        ids = db.execute(ended).scalars().all()
    for broadcast_id in ids:
        with unless_locked():
            _judge(broadcast_id or 0, now)


def _judge(broadcast_id: int, now: datetime) -> None:
    ended = select(Broadcast).where(col(Broadcast.id) == broadcast_id, due.has_ended_canary())
    with transaction() as db:
        wait_for_locks(db, PATIENCE)
        broadcast = db.execute(ended.with_for_update(key_share=True)).scalar_one_or_none()
        if broadcast is None or (outcome := outcome_of(db, broadcast)).left:
            return
        is_bad = outcome.is_bad(broadcast.canary_max_failed, broadcast.canary_max_blocked)
        if is_bad:
            transitions.fail_canary(broadcast)
        else:
            broadcast.canary_passed_at = now
        verb = "broadcast.stop_after_first" if is_bad else "broadcast.go_on_after_first"
        record(db, SYSTEM, verb, broadcast, now=now, failed=outcome.failed, blocked=outcome.blocked)
        if not is_bad:
            enqueue(db, [broadcast.fanpage_id])


def outcome_of(db: Session, broadcast: Broadcast) -> CanaryOutcome:
    """How the first part of a broadcast has fared so far."""
    rows = db.execute(
        select(col(Delivery.state), col(Delivery.reason), func.count())
        .where(
            col(Delivery.broadcast_id) == broadcast.id,
            col(Delivery.id) <= (broadcast.canary_last_id or 0),
        )
        .group_by(col(Delivery.state), col(Delivery.reason))
    )
    tally: dict[str, int] = {"left": 0, "failed": 0, "blocked": 0}
    for state, reason, people in rows:
        if state in (DeliveryState.QUEUED, DeliveryState.SENDING):
            tally["left"] += people
        elif state in (DeliveryState.FAILED, DeliveryState.UNKNOWN):
            tally["blocked" if reason in UNREACHABLE_REASONS else "failed"] += people
    return CanaryOutcome(broadcast.canary_size, **tally)
