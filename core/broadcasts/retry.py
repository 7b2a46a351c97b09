"""What staff may do after a broadcast: settle unknown outcomes, retry the failed, send to the rest.

Nobody who has got the message is sent it again. Each action chooses deliveries by the state of their opt-ins
(retry_queries.py), in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, select
from sqlmodel import Session, col

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import audience_builder, launch_checks, retry_queries, transitions, versions
from core.broadcasts.draft_rules import check_times
from core.broadcasts.retry_queries import REST
from core.broadcasts.rows import get_row, record
from core.broadcasts.rules import BroadcastState, alike_reason, is_too_late
from core.broadcasts.transitions import Transition
from core.consent import ledger as opt_in_ledger
from core.consent import topics_in_use
from core.consent.audience_filters import EVERYBODY, filters_of
from core.db import bulk, row_locks
from core.db.engine import transaction
from core.db.tables import AudienceProgress, Broadcast, Delivery
from core.db.work_queue import enqueue
from core.deliveries import closing, recent_outcomes
from core.deliveries import ledger as delivery_ledger
from core.deliveries.rules import BY_STAFF, DeliveryState
from core.errors import N_, Invalid, WrongState


def count_as_sent(
    by: Actor, broadcast_id: int, *, delivery_ids: Collection[int] | None = None, now: datetime
) -> int:
    """Settle these unknown outcomes (all when None) as sent, because staff say so. Returns how many."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = get_row(db, broadcast_id, lock=True)
        unknown = _unknown(broadcast_id, delivery_ids)
        opt_in_ids = delivery_ledger.settle_unknown(db, unknown, evidence=BY_STAFF, now=now)
        opt_in_ledger.spend(db, [each for each in opt_in_ids if each], now=now)
        record(db, by, "broadcast.count_as_sent", broadcast, now=now, people=len(opt_in_ids))
        return len(opt_in_ids)


def try_again(
    by: Actor,
    broadcast_id: int,
    *,
    delivery_ids: Collection[int] | None = None,
    best_before: datetime | None = None,
    now: datetime,
) -> int:
    """Queue these unknown outcomes (all when None) again. The platform takes each token once, so nobody gets
    its message twice; an ordinary message that spared an opt-in may arrive twice. Returns how many."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = _locked(db, broadcast_id, now)
        _new_best_before(broadcast, by, best_before, now)
        queued = delivery_ledger.requeue(db, _unknown(broadcast_id, delivery_ids), (DeliveryState.UNKNOWN,))
        _reopen(db, broadcast, queued, now)
        record(db, by, "broadcast.try_again", broadcast, now=now, people=queued)
        return queued


def retry_failed(by: Actor, broadcast_id: int, *, best_before: datetime | None = None, now: datetime) -> int:
    """Queue the failed deliveries whose customers are eligible and whose opt-ins may be used. Returns how
    many."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = _locked(db, broadcast_id, now)
        _new_best_before(broadcast, by, best_before, now)
        _lock_deliveries(db, broadcast_id, (DeliveryState.FAILED,))
        filters = filters_of(broadcast.filters)
        opt_in_ledger.make_available(
            db, _opt_ins(db, retry_queries.refused(broadcast_id, filters, now)), now=now
        )
        undecided = retry_queries.undecided(broadcast_id, filters, now)
        queued = delivery_ledger.requeue(db, undecided, (DeliveryState.FAILED,))
        failed = retry_queries.released(broadcast_id, filters, (DeliveryState.FAILED,), now)
        queued += _queue_and_reserve(db, failed)
        _reopen(db, broadcast, queued, now)
        record(db, by, "broadcast.retry_failed", broadcast, now=now, people=queued)
        return queued


def release_undecided(by: Actor, broadcast_id: int, *, now: datetime) -> int:
    """Release the opt-ins that were kept because of an unknown code, once staff have read the answers.
    Returns how many."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = get_row(db, broadcast_id, lock=True)
        undecided = retry_queries.undecided(broadcast_id, EVERYBODY, now)
        released = opt_in_ledger.release(db, _opt_ins(db, undecided), now=now)
        record(db, by, "broadcast.release_held", broadcast, now=now, people=released)
        return released


def send_to_rest(by: Actor, broadcast_id: int, *, best_before: datetime | None = None, now: datetime) -> int:
    """Queue the deliveries that were skipped or cancelled before an attempt and whose opt-ins may be used.
    Returns how many."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = _locked(db, broadcast_id, now)
        _new_best_before(broadcast, by, best_before, now)
        _lock_deliveries(db, broadcast_id, REST)
        rest = retry_queries.released(broadcast_id, filters_of(broadcast.filters), REST, now)
        queued = _queue_and_reserve(db, rest)
        _reopen(db, broadcast, queued, now)
        record(db, by, "broadcast.send_to_rest", broadcast, now=now, people=queued)
        return queued


def _locked(db: Session, broadcast_id: int, now: datetime) -> Broadcast:
    """The broadcast, locked. Deliveries that its end has not reached yet are ended first: they must not be
    sent together with those that are queued again."""
    broadcast = get_row(db, broadcast_id, lock=True)
    audience_builder.take_turn(db, broadcast.fanpage_id)
    closing.end_cancelled(db, broadcast, now)
    is_late = is_too_late(broadcast.best_before, now)
    ended = is_late or broadcast.state == BroadcastState.CANCELLED
    # The customers who are still to be added have no delivery that could end.
    if ended and db.get(AudienceProgress, broadcast_id) is not None:
        raise WrongState(topics_in_use.STILL_ADDING)
    if is_late:
        closing.end_queued(db, broadcast_id, DeliveryState.SKIPPED, reason="too_late", now=now)
    return broadcast


def _unknown(broadcast_id: int, delivery_ids: Collection[int] | None) -> Select[int | None]:
    chosen = select(col(Delivery.id)).where(
        col(Delivery.broadcast_id) == broadcast_id, col(Delivery.state) == DeliveryState.UNKNOWN
    )
    return chosen if delivery_ids is None else chosen.where(col(Delivery.id).in_(list(delivery_ids)))


def _opt_ins(db: Session, chosen: Select[int | None]) -> list[int]:
    opt_in_ids = db.execute(chosen.with_only_columns(col(Delivery.opt_in_id))).scalars()
    return [each for each in opt_in_ids if each]


def _lock_deliveries(db: Session, broadcast_id: int, states: Collection[DeliveryState]) -> None:
    """Lock deliveries before their opt-ins, the order that everybody keeps: an echo may be settling one
    now."""
    theirs = select(col(Delivery.id)).where(
        col(Delivery.broadcast_id) == broadcast_id, col(Delivery.state).in_(list(states))
    )
    row_locks.lock_deliveries(db, [each for each in db.execute(theirs).scalars() if each])


def _queue_and_reserve(db: Session, chosen: Select[int | None]) -> int:
    """Reserve the opt-ins again and queue the deliveries: both or neither."""
    given = bulk.among([i for i in db.execute(chosen).scalars() if i])
    reserved = opt_in_ledger.reserve(db, select(col(Delivery.opt_in_id)).where(col(Delivery.id).in_(given)))
    again = select(col(Delivery.id)).where(col(Delivery.id).in_(given))
    queued = delivery_ledger.requeue(db, again, (DeliveryState.FAILED, *REST))
    if reserved != queued:
        raise RuntimeError(f"{queued} deliveries queued again but {reserved} opt-ins reserved")
    return queued


def _new_best_before(broadcast: Broadcast, by: Actor, best_before: datetime | None, now: datetime) -> None:
    """Set a later best-before. What is sent stays the approved version, approved by who set the
    best-before."""
    problems = check_times(None, best_before, now)
    if problems:
        raise Invalid(problems)
    if best_before or (broadcast.best_before and broadcast.best_before <= now):
        versions.alter(broadcast, by, now, best_before=best_before)
        versions.approve(broadcast, by, now)


def _reopen(db: Session, broadcast: Broadcast, queued: int, now: datetime) -> None:
    transitions.refuse_unless(Transition.REOPEN, broadcast)
    if not queued:
        return
    launch_checks.refuse_unable(db, broadcast.fanpage_id)
    if broadcast.best_before and broadcast.best_before <= now:
        raise WrongState(N_("The send-by time has passed; choose a later one, or none."))
    if broadcast.state != BroadcastState.PAUSED or alike_reason(broadcast.pause_code):
        transitions.reopen(broadcast)
        recent_outcomes.start_anew(db, broadcast.fanpage_id, [broadcast.id or 0])
    broadcast.updated_at = now
    enqueue(db, [broadcast.fanpage_id])
