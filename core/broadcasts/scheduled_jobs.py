"""What the clock does with broadcasts: start what is due, end what is too late, finish, sweep up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import literal, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.rules import SYSTEM
from core.broadcasts import audience_builder, canary, due, rules, transitions
from core.broadcasts.quiet_hours import must_wait
from core.broadcasts.rows import get_row, record
from core.broadcasts.rules import BroadcastState
from core.broadcasts.transitions import Transition
from core.db.engine import is_locked, reading, transaction
from core.db.tables import Broadcast, Delivery, Fanpage, Topic
from core.db.work_queue import enqueue
from core.deliveries import breaker, closing, recent_outcomes
from core.deliveries.recent_outcomes import Scope
from core.deliveries.rules import DeliveryState
from core.errors import NotFound, WrongState

log = structlog.get_logger(__name__)

LARGE = 1000  # deliveries at once that make the database's own figures wrong
SWEPT = timedelta(days=2)  # how long after its end a broadcast is still looked at


def start_due(*, now: datetime) -> list[int]:
    """Start what is due, each broadcast in a transaction of its own that builds the first chunk of its
    audience; see audience_builder.py for the rest."""
    with reading() as db:
        found = db.execute(
            select(col(Broadcast.id), col(Fanpage.id), col(Fanpage.launch_rules), col(Fanpage.timezone))
            .join(Fanpage, col(Fanpage.id) == col(Broadcast.fanpage_id))
            .where(due.may_start(now))
            .order_by(col(Broadcast.due_at), col(Broadcast.id))
        )
        ids = [
            broadcast_id or 0
            for broadcast_id, fanpage_id, launch_rules, zone in found
            if not must_wait(fanpage_id or 0, launch_rules, zone, now)
        ]
    return [broadcast_id for broadcast_id in ids if _start_alone(broadcast_id, now)]


def sweep(*, now: datetime) -> None:
    """End what is still queued under a cancelled broadcast, and let a finished one go on that has something
    queued: a safety net for what no path should leave behind."""
    stray = select(col(Broadcast.id), col(Broadcast.state)).where(
        col(Broadcast.state).in_([BroadcastState.CANCELLED, BroadcastState.FINISHED]),
        col(Broadcast.updated_at) > now - SWEPT,
        select(literal(1))
        .where(col(Delivery.broadcast_id) == col(Broadcast.id), col(Delivery.state) == DeliveryState.QUEUED)
        .exists(),
    )
    with reading() as db:
        if db.execute(stray).first() is None:
            return
    with transaction() as db:
        for broadcast_id, state in db.execute(
            stray.order_by(col(Broadcast.id)).with_for_update(key_share=True, of=Broadcast)
        ).all():
            if state == BroadcastState.CANCELLED:
                closing.end_cancelled(db, get_row(db, broadcast_id or 0), now)
            else:
                transitions.reopen_with_leftovers(db, broadcast_id or 0)


def _start_alone(broadcast_id: int, now: datetime) -> bool:
    """Start one broadcast and return whether it started. One that cannot must not hold up the others."""
    try:
        audience_size = _start_in_transaction(broadcast_id, now)
    except (WrongState, NotFound):
        return False  # another worker was quicker
    except (RuntimeError, IntegrityError, OperationalError) as problem:
        if isinstance(problem, OperationalError) and not is_locked(problem):
            raise  # the others would fare no better
        log.error("broadcast_not_started", broadcast_id=broadcast_id, error=type(problem).__name__)
        return False
    if audience_size is not None and audience_size >= LARGE:
        audience_builder.refresh_statistics()
    return audience_size is not None


def end_too_late(*, now: datetime) -> int:
    """End the broadcasts that are past their best-before: nothing more of them is sent, and unused opt-ins go
    back. Returns how many ended."""
    with transaction() as db:
        for missed in transitions.miss_late(db, now=now):
            activity_log.record(db, SYSTEM, "broadcast.miss", now=now, subject_id=missed.id)
    with reading() as db:
        running = db.execute(
            select(col(Broadcast.id)).where(due.is_running_late(now)).order_by(col(Broadcast.id))
        )
        ids = [broadcast_id for broadcast_id in running.scalars() if broadcast_id]
    return sum(_end_late(broadcast_id, now) for broadcast_id in ids)


def _end_late(broadcast_id: int, now: datetime) -> int:
    """A transaction for each: the row of a small one is not kept locked while a large one ends."""
    mine = select(col(Broadcast.id)).where(col(Broadcast.id) == broadcast_id, due.is_running_late(now))
    with transaction() as db:
        if db.execute(mine.with_for_update(key_share=True, skip_locked=True)).first() is None:
            return 0
        return closing.end_queued(db, broadcast_id, DeliveryState.SKIPPED, reason="too_late", now=now)


def finish_done(*, now: datetime) -> list[int]:
    """Finish the broadcasts whose deliveries all have an outcome. Returns their ids."""
    done = due.is_done(now)
    with transaction() as db:
        # Locked first and read again: a retry may have queued some meanwhile.
        rows = db.execute(
            select(col(Broadcast.id), col(Broadcast.state))
            .where(done)
            .order_by(col(Broadcast.id))
            .with_for_update(key_share=True)
        ).all()
        chosen = [id_ for id_, state in rows if id_ and not _is_about_to_pause_itself(db, id_, state)]
        finished = transitions.finish(db, col(Broadcast.id).in_(chosen), done, now=now)
        for each in finished:
            activity_log.record(
                db,
                SYSTEM,
                "broadcast.finish",
                now=now,
                fanpage_id=each.fanpage_id,
                subject_id=each.id,
                subject=each.name,
            )
        return [each.id for each in finished]


def _is_about_to_pause_itself(db: Session, broadcast_id: int, state: str) -> bool:
    """Whether the breaker is about to pause it: its last outcomes are settled, and judged a moment later."""
    if state != BroadcastState.SENDING:
        return False
    recent = replace(recent_outcomes.recent(db, (Scope.BROADCAST, broadcast_id)), before=0)
    return breaker.tripped_by(recent, left=0) is not None


def _start_in_transaction(broadcast_id: int, now: datetime) -> int | None:
    """Start a broadcast and return the size of the first chunk of its audience; None when another has
    started it, or it may not start any more."""
    with transaction() as db:
        if not _lock_unless_taken(db, broadcast_id):
            return None  # another worker is at it
        if not _may_start_still(db, broadcast_id, now):
            return None  # another worker was quicker, or it was put off or stopped since the list was read
        broadcast = get_row(db, broadcast_id)
        if rules.is_too_late(broadcast.best_before, now):
            return None  # end_too_late turns it into "missed"
        transitions.move(db, broadcast_id, Transition.START, now)
        broadcast.started_at = now
        more = audience_builder.begin(db, broadcast, now)
        canary.mark_first(db, broadcast)
        known = {} if more else {"audience": broadcast.audience}
        record(db, SYSTEM, "broadcast.start", broadcast, now=now, **known)
        enqueue(db, [broadcast.fanpage_id])
        return broadcast.audience


def _lock_unless_taken(db: Session, broadcast_id: int) -> bool:
    """Lock the broadcast and its topic; False if another worker has them. So broadcasts of one topic start
    one after the other, and others at once."""
    topic = Topic, col(Topic.id) == col(Broadcast.topic_id)
    mine = select(col(Broadcast.id)).join(*topic).where(col(Broadcast.id) == broadcast_id)
    return db.execute(mine.with_for_update(key_share=True, skip_locked=True)).first() is not None


def _may_start_still(db: Session, broadcast_id: int, now: datetime) -> bool:
    mine = (
        select(col(Broadcast.id))
        .join(Fanpage, col(Fanpage.id) == col(Broadcast.fanpage_id))
        .where(col(Broadcast.id) == broadcast_id, due.may_start(now))
    )
    return db.execute(mine).first() is not None
