"""What happens when the breaker on likeness trips: broadcasts pause, opt-ins and marks are taken back (0027).

It is done in a transaction of its own right after the settle that tripped it, because it changes more rows
than were settled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import func, select
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.rules import SYSTEM
from core.broadcasts import canary, due, transitions
from core.broadcasts.rules import alike_code
from core.consent import ledger
from core.consent.eligibility import is_reserved_elsewhere
from core.customers import unreachable_marks
from core.db import bulk, row_locks
from core.db.engine import DATABASE_TROUBLE, reading, transaction, unless_locked, wait_for_locks
from core.db.tables import Broadcast, Delivery, RecentOutcomes
from core.deliveries import breaker, recent_outcomes
from core.deliveries.breaker import Recent, Refusal
from core.deliveries.recent_outcomes import Key, Scope
from core.deliveries.rules import UNDECIDED_REASONS, DeliveryState

log = structlog.get_logger(__name__)

# What a stop has charged is made good once, and nobody tries again: that may wait for longer.
PATIENCE_OF_A_STOP = "3s"
PATIENCE = "500ms"  # for a broadcast that somebody keeps locked: all fanpages of this process wait meanwhile


def judge_fanpages(
    noted: Mapping[int, Mapping[Key, Recent]], *, stopped: Collection[int], now: datetime
) -> None:
    """After a settle: judge what was noted of each fanpage's refusals. It stopped those in `stopped`.

    The settle is done: whatever fails now must not repeat it. `judge_sending_broadcasts` makes up for a
    broadcast that was not judged; what a stopped fanpage was charged stays for its next stop, or for staff.
    """
    for fanpage_id in sorted({*noted, *stopped}):
        try:
            judge(fanpage_id, noted.get(fanpage_id, {}), is_stopped=fanpage_id in stopped, now=now)
        except DATABASE_TROUBLE as problem:
            log.warning("breaker_not_asked", fanpage_id=fanpage_id, error=type(problem).__name__)
        except Exception:
            log.exception("breaker_failed", fanpage_id=fanpage_id)


def judge(fanpage_id: int, noted: Mapping[Key, Recent], *, is_stopped: bool, now: datetime) -> None:
    """Judge what was noted of one fanpage's refusals, and act if the breaker trips. With `is_stopped`, the
    refusals since its last acceptance are made good as well."""
    for (scope, ref_id), recent in noted.items():
        left = _left(ref_id) if scope == Scope.BROADCAST and breaker.may_be_small(recent) else None
        reason = breaker.tripped_by(recent, left=left)
        if reason is not None:
            with unless_locked():  # `judge_sending_broadcasts`, or the next such refusal, does it then
                _trip(fanpage_id, reason, breaker.refused_alike(recent, reason), now)
    if is_stopped:
        with transaction() as db:
            wait_for_locks(db, PATIENCE_OF_A_STOP)
            of_it = recent_outcomes.recent(db, (Scope.FANPAGE, fanpage_id))
            _make_good(db, breaker.since_accepted(of_it), now)


def judge_sending_broadcasts(*, now: datetime) -> None:
    """Judge all sending broadcasts again: the process of a settle may have died before it judged, or the
    database have failed. To be called before the clock ends broadcasts as finished."""
    refused = (
        select(RecentOutcomes, col(Broadcast.fanpage_id))
        .join(Broadcast, col(Broadcast.id) == col(RecentOutcomes.ref_id))
        .where(col(RecentOutcomes.scope) == Scope.BROADCAST, due.may_trip())
    )
    with reading() as db:
        rows = [(recent_outcomes.as_recent(row), row.ref_id, key) for row, key in db.execute(refused)]
    for recent, broadcast_id, fanpage_id in rows:
        judge(fanpage_id, {(Scope.BROADCAST, broadcast_id): recent}, is_stopped=False, now=now)


def _left(broadcast_id: int) -> int:
    """How many deliveries a broadcast has still to send, counted only up to fifty."""
    waiting = (
        select(col(Delivery.id))
        .join(Broadcast, col(Broadcast.id) == col(Delivery.broadcast_id))
        .where(
            col(Delivery.broadcast_id) == broadcast_id,
            canary.may_be_sent(),  # a first part is judged by itself
            col(Delivery.state).in_([DeliveryState.QUEUED, DeliveryState.SENDING]),
        )
        .limit(breaker.WINDOW)
        .subquery()
    )
    with reading() as db:
        return int(db.execute(select(func.count()).select_from(waiting)).scalar_one())


def _trip(fanpage_id: int, reason: str, run: Sequence[Refusal], now: datetime) -> None:
    """Pause the broadcasts that have a part in the run of refusals, and make the run good. Another broadcast
    of the fanpage meets the same breaker at its first such refusal."""
    with transaction() as db:
        wait_for_locks(db, PATIENCE)
        concerned = {each.broadcast_id for each in run if each.broadcast_id}
        row_locks.lock_broadcasts(db, concerned)
        paused = transitions.trip(db, fanpage_id, concerned, alike_code(reason), now=now)
        returned = _make_good(db, run, now)
        for each in paused:
            activity_log.record(
                db,
                SYSTEM,
                "broadcast.pause_itself",
                now=now,
                fanpage_id=fanpage_id,
                subject_id=each.id,
                subject=each.name,
                reason=reason,
                refused=len(run),
                returned=returned,
            )
    log.warning("breaker_tripped", fanpage_id=fanpage_id, reason=reason, paused=[each.id for each in paused])


def _make_good(db: Session, run: Sequence[Refusal], now: datetime) -> int:
    """Charge nobody for this run: take the marks back and give the opt-ins back. Returns how many opt-ins."""
    row_locks.lock_customers(db, {each.customer_id for each in run})
    delivery_ids = {each.delivery_id for each in run if each.delivery_id}
    unreachable_marks.undo_marks_of_deliveries(db, delivery_ids)
    unreachable_marks.undo_marks_of_replies(db, {each.customer_id for each in run if not each.delivery_id})
    row_locks.lock_deliveries(db, delivery_ids)
    return _give_back(db, delivery_ids, now)


def _give_back(db: Session, delivery_ids: Collection[int], now: datetime) -> int:
    """Make the opt-ins of these failed deliveries available again, except those in doubt or reserved by
    another delivery. Returns how many."""
    failed = (
        select(col(Delivery.opt_in_id), col(Delivery.reason))
        .where(
            col(Delivery.id).in_(bulk.among(delivery_ids)),
            col(Delivery.opt_in_id).is_not(None),
            col(Delivery.state) == DeliveryState.FAILED,
            col(Delivery.in_doubt).is_(False),
            ~is_reserved_elsewhere(),
        )
        .order_by(col(Delivery.opt_in_id))
    )
    rows = db.execute(failed).all()
    kept = [opt_in_id for opt_in_id, reason in rows if reason in UNDECIDED_REASONS]
    refused = [opt_in_id for opt_in_id, _ in rows]
    return ledger.release(db, kept, now=now) + ledger.make_available(db, refused, now=now)
