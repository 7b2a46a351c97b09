"""The ledger of deliveries: every change of a delivery's state, inside the caller's transaction.

Nothing else writes `delivery.state` (tests/test_single_writers.py). Each change names the states that it may
leave, so that a change that is repeated, or comes too late, does nothing. The caller changes the opt-in in
the same transaction, with core/consent/ledger.py, and locks rows where that is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlmodel import Session, col, insert

from core.db import bulk
from core.db.tables import Delivery, UtcTime
from core.deliveries.rules import LEASE_RAN_OUT, DeliveryState, Verdict

_ID = bulk.columns_of(Delivery, "id")
_FENCE = bulk.columns_of(Delivery, "id", "attempt", "claimed_at")
_ACCEPTED = bulk.columns_of(Delivery, "id", "mid", "evidence")
_MAY_TURN_OUT_SENT = (
    DeliveryState.SENDING,
    DeliveryState.QUEUED,
    DeliveryState.UNKNOWN,
    DeliveryState.SENT,
)
_MAY_BE_REQUEUED = frozenset(
    {DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED}
)


def add(
    db: Session, broadcast_id: int, chosen: Select[int, int], *, cancelled: str | None, now: datetime
) -> tuple[ColumnElement[bool], ...]:
    """Add a queued delivery for each of the chosen opt-ins, given as `id` and `customer_id`. With
    `cancelled`, the reason why their broadcast has ended, they are cancelled from the start.

    Returns the conditions that choose the new deliveries.
    """
    mine = col(Delivery.broadcast_id) == broadcast_id
    before = db.execute(select(func.max(col(Delivery.id))).where(mine)).scalar_one() or 0
    values = _new(broadcast_id, chosen, cancelled, now)
    db.execute(insert(Delivery).from_select(list(values), select(*values.values())))
    return mine, col(Delivery.id) > before


def _new(
    broadcast_id: int, chosen: Select[int, int], cancelled: str | None, now: datetime
) -> dict[str, ColumnElement[Any]]:
    given = chosen.subquery()
    values: dict[str, ColumnElement[Any]] = {
        "broadcast_id": literal(broadcast_id),
        "opt_in_id": given.c.id,
        "customer_id": given.c.customer_id,
        "state": literal((DeliveryState.QUEUED if cancelled is None else DeliveryState.CANCELLED).value),
        "attempt": literal(0),
        "tries": literal(0),
        "in_doubt": literal(False),
    }
    if cancelled is not None:
        values |= {"reason": literal(cancelled), "settled_at": literal(now, UtcTime)}
    return values


def claim(
    db: Session, delivery_ids: Collection[int], *, worker: str, lease_until: datetime, now: datetime
) -> int:
    """Claim those of these deliveries that are queued: they are the worker's until the lease runs out.
    Returns how many were claimed."""
    times = {"now": now, "lease": lease_until}
    given = {name: bulk.stamp(at) for name, at in times.items()}
    return _claiming().run(db, {**bulk.bound_ids(delivery_ids), "worker": worker, **given}).rowcount


@cache
def _claiming() -> bulk.CompiledStatement:
    chosen = bulk.rows_given(_ID)
    return bulk.CompiledStatement(
        update(Delivery)
        .where(col(Delivery.id).in_(chosen), col(Delivery.state) == bulk.constant(DeliveryState.QUEUED))
        .values(
            state=DeliveryState.SENDING.value,
            claimed_at=bindparam("now", type_=UtcTime),
            claimed_by=bindparam("worker"),
            lease_until=bindparam("lease", type_=UtcTime),
            attempt=col(Delivery.attempt) + 1,
        )
    )


def go_without_opt_in(db: Session, delivery_ids: Collection[int], *, sender: str) -> None:
    """Deliveries that nobody else has in hand go by another sender than their broadcast's, and hold their
    opt-ins no more: the caller releases those. They were claimed in this very transaction, or are of a
    restored database from which nothing is sent yet."""
    open_states = bulk.one_of(col(Delivery.state), (DeliveryState.QUEUED, DeliveryState.SENDING))
    theirs = col(Delivery.id).in_(bulk.among(delivery_ids)), open_states
    db.execute(_change(*theirs).values(opt_in_id=None, sender=sender))


def end_claimed(db: Session, delivery_id: int, state: DeliveryState, *, reason: str, now: datetime) -> None:
    """End a delivery that was claimed in this very transaction and turned out not to be fit for sending."""
    claimed = col(Delivery.id) == delivery_id, col(Delivery.state) == DeliveryState.SENDING
    db.execute(_change(*claimed).values(state=state, reason=reason, settled_at=now, lease_until=None))


def hand_back(db: Session, claims: Sequence[tuple[int, int, datetime | None]], *, worker: str) -> None:
    """Queue again the deliveries whose claims were never put on the wire, given as delivery, number of the
    claim and its time. A delivery that was claimed again since stays as it is."""
    rows = [(delivery_id, number, bulk.stamp(at)) for delivery_id, number, at in sorted(claims)]
    if rows:
        _handing_back().run(db, {**bulk.bound(rows), "worker": worker})


@cache
def _handing_back() -> bulk.CompiledStatement:
    given = bulk.rows_given(_FENCE).subquery()
    still_ours = (
        col(Delivery.id) == given.c.id,
        col(Delivery.attempt) == given.c.attempt,
        col(Delivery.claimed_at) == given.c.claimed_at,
        col(Delivery.claimed_by) == bindparam("worker"),
        col(Delivery.state) == bulk.constant(DeliveryState.SENDING),
    )
    queued = {"state": DeliveryState.QUEUED.value, "lease_until": None, "claimed_by": None}
    return bulk.CompiledStatement(update(Delivery).where(*still_ours).values(**queued))


def take_over_lost(
    db: Session, delivery_ids: Collection[int], *, max_attempts: int, next_try_at: datetime, now: datetime
) -> list[tuple[int, int, datetime]]:
    """Queue again the deliveries whose worker is gone. The attempt may have reached the platform, so it
    counts and leaves a doubt; after the last attempt the delivery is unknown, for staff to settle.

    Returns delivery, number of the claim and its time of those that were taken over.
    """
    is_last = col(Delivery.tries) + 1 >= max_attempts
    lost = col(Delivery.id).in_(bulk.among(delivery_ids)), col(Delivery.state) == DeliveryState.SENDING
    taken = _change(*lost).values(
        state=case((is_last, DeliveryState.UNKNOWN.value), else_=DeliveryState.QUEUED.value),
        settled_at=case((is_last, literal(now, UtcTime)), else_=None),
        tries=col(Delivery.tries) + 1,
        in_doubt=True,
        reason=LEASE_RAN_OUT,
        lease_until=None,
        claimed_by=None,
        next_try_at=next_try_at,
    )
    rows = db.execute(taken.returning(col(Delivery.id), col(Delivery.attempt), col(Delivery.claimed_at)))
    return [(delivery_id, number, at) for delivery_id, number, at in rows.all()]


def accept(db: Session, accepted: Sequence[tuple[int, str, str | None]], *, now: datetime) -> None:
    """Record that the platform took these (delivery, message id, evidence), whoever has claimed them now."""
    _accepting().run(db, {**bulk.bound(accepted), "now": bulk.stamp(now)})


@cache
def _accepting() -> bulk.CompiledStatement:
    given = bulk.rows_given(_ACCEPTED).subquery()
    return bulk.CompiledStatement(
        update(Delivery)
        .where(col(Delivery.id) == given.c.id, bulk.one_of(col(Delivery.state), _MAY_TURN_OUT_SENT))
        .values(
            state=DeliveryState.SENT,
            mid=case((col(Delivery.customer_id).is_not(None), given.c.mid)),  # it leads to whom we forgot
            evidence=func.coalesce(col(Delivery.evidence), given.c.evidence),
            reason=None,
            # An echo that came first has said when it was sent.
            settled_at=case((_is_sent(), col(Delivery.settled_at)), else_=bindparam("now", type_=UtcTime)),
            lease_until=None,
            next_try_at=None,
        )
    )


def _is_sent() -> ColumnElement[bool]:
    return col(Delivery.state) == bulk.constant(DeliveryState.SENT)


def settle_refused(
    db: Session,
    delivery_id: int,
    verdict: Verdict,
    *,
    claim_number: int,
    counted_attempts: int,
    now: datetime,
) -> bool:
    """Record the verdict on a refused claim, which `claim_number` names. `counted_attempts`: those before it
    that counted.

    Returns False when the claim may not settle the delivery any more: it was claimed again since, or an echo
    has settled it.
    """
    has_ended = verdict.state != DeliveryState.QUEUED
    is_ours = or_(col(Delivery.state) == DeliveryState.SENDING, _ran_out(has_ended))
    settled = _change(col(Delivery.id) == delivery_id, col(Delivery.attempt) == claim_number, is_ours).values(
        state=verdict.state,
        reason=verdict.reason,
        evidence=verdict.evidence,
        detail=_unless_forgotten(verdict.detail or None),
        tries=counted_attempts + (1 if verdict.counts_as_attempt else 0),
        in_doubt=verdict.in_doubt,
        next_try_at=verdict.next_try_at,
        settled_at=now if has_ended else None,
        lease_until=None,
    )
    return _count(db.execute(settled)) > 0


def _ran_out(has_ended: bool) -> ColumnElement[bool]:
    """The condition that the claim was taken over as in doubt and not claimed again: then even a late answer
    clears the doubt. An unknown delivery may end by it, but is not queued again."""
    states = (DeliveryState.QUEUED, DeliveryState.UNKNOWN) if has_ended else (DeliveryState.QUEUED,)
    return and_(col(Delivery.state).in_(states), col(Delivery.reason) == LEASE_RAN_OUT)


def _unless_forgotten(said: str | None) -> ColumnElement[str]:
    """This text, or NULL when the delivery's customer was forgotten meanwhile: it may lead to a person."""
    return case((col(Delivery.customer_id).is_not(None), literal(said, Text)))


def doubt(db: Session, delivery_ids: Collection[int]) -> None:
    """These deliveries may have reached the customers already: their tokens are never given back."""
    which = col(Delivery.id).in_(bulk.among(delivery_ids)), col(Delivery.state) == DeliveryState.QUEUED
    db.execute(_change(*which).values(in_doubt=True))


def mark_sent_after_all(db: Session, delivery: Delivery, *, evidence: str, at: datetime) -> None:
    """Record that a delivery reached the customer, whatever we believed of it. The caller has locked the row
    and knows that it is not settled as sent."""
    delivery.state = DeliveryState.SENT
    delivery.evidence = evidence
    delivery.reason = None
    delivery.settled_at = at
    db.flush()


def end_queued(
    db: Session, state: DeliveryState, *whose: ColumnElement[bool], reason: str, now: datetime
) -> list[int]:
    """End the queued ones of these deliveries in `state`; those in doubt end as unknown. Returns the opt-ins
    of the others, which the caller releases."""
    ended = case((col(Delivery.in_doubt), DeliveryState.UNKNOWN.value), else_=state.value)
    queued = _change(*whose, col(Delivery.state) == DeliveryState.QUEUED)
    done = queued.values(state=ended, reason=reason, settled_at=now, next_try_at=None)
    rows = db.execute(done.returning(col(Delivery.opt_in_id), col(Delivery.in_doubt)))
    return [opt_in_id for opt_in_id, in_doubt in rows if opt_in_id is not None and not in_doubt]


def settle_unknown(
    db: Session, chosen: Select[int | None], *, evidence: str, now: datetime
) -> list[int | None]:
    """The chosen of those whose outcome is unknown count as sent. Returns the opt-in of each, or
    None."""
    unknown = _change(col(Delivery.id).in_(chosen), col(Delivery.state) == DeliveryState.UNKNOWN)
    sent = unknown.values(state=DeliveryState.SENT, evidence=evidence, reason=None, settled_at=now)
    return list(db.execute(sent.returning(col(Delivery.opt_in_id))).scalars())


def requeue(db: Session, chosen: Select[int | None], sources: Collection[DeliveryState]) -> int:
    """Queue again those of the chosen deliveries that are still in one of these states. Returns how many.

    A delivery in doubt stays in doubt, so that a token that may have been used is never given back. Raises
    ValueError for states that nothing is queued again from.
    """
    if not _MAY_BE_REQUEUED.issuperset(sources):
        raise ValueError(f"a delivery is never queued again from {', '.join(sorted(sources))}")
    ended = _change(col(Delivery.id).in_(chosen), col(Delivery.state).in_(list(sources)))
    queued = ended.values(
        state=DeliveryState.QUEUED,
        tries=0,
        reason=None,
        detail=None,
        evidence=None,
        settled_at=None,
        next_try_at=None,
    )
    return _count(db.execute(queued))


def _change(*which: ColumnElement[bool]) -> Update:
    return bulk.change(Delivery, *which)


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
