"""Settles what was plainly accepted, of one fanpage or of many at once. An acceptance always counts, whoever
holds the delivery now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, func, text, update
from sqlmodel import Session, col

from core.broadcasts import recent_outcomes
from core.broadcasts.rules import DeliveryState
from core.consent import ledger
from core.customers import marks
from core.customers.marks import Acceptance
from core.database import is_sqlite, transaction
from core.db import bulk
from core.messenger.client import Accepted
from core.sending import allowance, evidence, tries
from core.sending.rules import accepted
from core.tables import Delivery, UtcTime

if TYPE_CHECKING:
    from core.sending.settling import Outcome

_TAKEN = bulk.columns_of(Delivery, "id", "mid", "evidence")
_MAY_TURN_OUT_SENT = (
    DeliveryState.SENDING,
    DeliveryState.QUEUED,
    DeliveryState.UNKNOWN,
    DeliveryState.SENT,
)
_AFTER_DOUBT = accepted(in_doubt=True).evidence


# A locked row of one fanpage holds up the others no longer than this; then each is settled by itself.
_PATIENCE = text("SET LOCAL lock_timeout = '500ms'")


def settle_together(outcomes: Mapping[int, Sequence[Outcome]], *, now: datetime) -> None:
    """By fanpage, accepted all of them. Repeating it changes nothing, as with `settling.settle`."""
    every = [outcome for of_one in outcomes.values() for outcome in of_one]
    with transaction() as db:
        if not is_sqlite(db):
            db.execute(_PATIENCE)
        marks.note_acceptances(db, [each for one in outcomes for each in noted(one, outcomes[one])])
        settle(db, every, now)
        tries.keep(db, every, now=now)
        allowance.note_calls_of(db, {each: len(of_one) for each, of_one in outcomes.items()}, now=now)
        recent_outcomes.note_accepted(db, _counts(outcomes))


def _counts(outcomes: Mapping[int, Sequence[Outcome]]) -> dict[recent_outcomes.Key, int]:
    counts: dict[recent_outcomes.Key, int] = {}
    for fanpage_id, of_one in outcomes.items():
        counts |= recent_outcomes.keys_of(fanpage_id, [each.claim.broadcast_id for each in of_one])
    return counts


def settle(db: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """In the order of the ids, as everybody locks them."""
    if not outcomes:
        return
    outcomes = sorted(outcomes, key=lambda each: each.claim.delivery_id)
    rows = [
        (o.claim.delivery_id, o.answer.mid[:200], _AFTER_DOUBT if o.claim.in_doubt else None)
        for o in outcomes
        if isinstance(o.answer, Accepted)
    ]
    _sent().run(db, {**bulk.bound(rows), "now": bulk.stamp(now)})
    ledger.spend(db, [o.claim.opt_in_id for o in outcomes], now=now)
    evidence.catch_up(db, [o.claim.delivery_id for o in outcomes])


def noted(fanpage_id: int, outcomes: Sequence[Outcome]) -> list[Acceptance]:
    """What these acceptances say about customers. A claim is older than its call: never too late."""
    return [
        Acceptance(fanpage_id, o.claim.customer_id, began)
        for o in outcomes
        if (began := o.started_at or o.claim.claimed_at)
    ]


@cache
def _sent() -> bulk.Ready:
    given = bulk.rows_given(_TAKEN).subquery()
    statement = (
        update(Delivery)
        .where(col(Delivery.id) == given.c.id, bulk.one_of(col(Delivery.state), _MAY_TURN_OUT_SENT))
        .values(
            state=DeliveryState.SENT,
            mid=case((col(Delivery.customer_id).is_not(None), given.c.mid)),  # it leads to whom we forgot
            evidence=func.coalesce(col(Delivery.evidence), given.c.evidence),
            reason=None,
            settled_at=bindparam("now", type_=UtcTime),
            lease_until=None,
            next_try_at=None,
        )
    )
    return bulk.Ready(statement)
