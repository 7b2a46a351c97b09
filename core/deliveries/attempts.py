"""The attempts at deliveries that were not accepted at once: kept when they are settled, read as evidence.

A message that never left this machine is no attempt. Keeping an attempt again adds nothing. The table is
called `delivery_try`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.db import bulk
from core.db.engine import reading
from core.db.tables import Delivery, DeliveryAttempt
from core.deliveries.rules import LEASE_RAN_OUT
from core.messenger.errors import BAD_PARAMETER, Failure, NextStep
from core.messenger.send_responses import Accepted, Answer

ACCEPTED = "accepted"


@dataclass(frozen=True)
class Attempt:
    """One claim of a delivery that was put on the wire, and what came back."""

    delivery_id: int
    number: int  # of the claim, from 1
    answer: Answer
    started_at: datetime | None  # of the call
    answered_at: datetime | None


@dataclass(frozen=True)
class AttemptView:
    """One attempt as staff see it."""

    reason: str  # a code word of messenger.reasons, "lease_ran_out" or "accepted"
    in_doubt: bool  # the platform may have taken it
    status: int | None
    code: int | None
    subcode: int | None
    detail: str | None
    started_at: datetime
    answered_at: datetime | None


_SEEN = [each.name for each in fields(AttemptView)]
_KEPT = ["delivery_id", "number", *_SEEN]  # in the order of a row that is kept


def keep(db: Session, attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Keep the attempts that tell something: refusals, doubts, and acceptances that follow kept attempts."""
    accepted = [each.delivery_id for each in attempts if isinstance(each.answer, Accepted)]
    told = _kept(db, accepted)  # the others were only handed back unsent
    worth = [each for each in attempts if isinstance(each.answer, Failure) or each.delivery_id in told]
    rows = [row for attempt in worth if (row := _row(attempt, now))]
    _insert(db, rows)


def keep_lost(db: Session, lost: Sequence[tuple[int, int, datetime]]) -> None:
    """Keep the attempts whose worker died or whose lease ran out, given as delivery, number of the claim and
    its time. Each is in doubt."""
    said = [LEASE_RAN_OUT, True, None, None, None, None]
    _insert(db, [[delivery_id, number, *said, bulk.stamp(at), None] for delivery_id, number, at in lost])


def _row(attempt: Attempt, now: datetime) -> list[object] | None:
    """The row of an attempt; None for a message that never left this machine."""
    answer, which = attempt.answer, (attempt.delivery_id, attempt.number)
    times = [bulk.stamp(at or now) for at in (attempt.started_at, attempt.answered_at)]
    if isinstance(answer, Accepted):
        return [*which, ACCEPTED, False, 200, None, None, None, *times]
    if answer.step == NextStep.NOT_SENT:
        return None
    doubt = answer.step == NextStep.IN_DOUBT
    said = (answer.status, answer.code, answer.subcode, answer.detail or None)
    return [*which, answer.reason, doubt, *said, *times]


def _insert(db: Session, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        db.connection().execute(_statement(), bulk.bound(rows))


@cache
def _statement() -> Any:
    """The statement that keeps attempts, but none of a delivery whose customer was forgotten meanwhile."""
    rows = bulk.rows_given(bulk.columns_of(DeliveryAttempt, *_KEPT)).subquery()
    theirs = (col(Delivery.id) == rows.c.delivery_id) & col(Delivery.customer_id).is_not(None)
    return bulk.insert_selected(
        DeliveryAttempt, {**rows.c}, rows.join(Delivery, theirs)
    ).on_conflict_do_nothing()


def refused_before(db: Session, reasons: Mapping[int, str]) -> set[int]:
    """Which of these deliveries were refused before for the reason given here."""
    return {
        delivery_id
        for delivery_id, told in _kept(db, reasons).items()
        if any(reason == reasons[delivery_id] for reason, _, _ in told)
    }


def only_said_of_the_token(db: Session, delivery_id: int) -> bool:
    """Whether every kept attempt ended with code 100 and without a doubt, and there is one: the platform has
    said nothing else of the delivery, so no passing fault explains the refusal."""
    told = _kept(db, [delivery_id]).get(delivery_id, [])
    return bool(told) and all(code == BAD_PARAMETER and not in_doubt for _, code, in_doubt in told)


def _kept(db: Session, delivery_ids: Collection[int]) -> dict[int, list[tuple[str, int | None, bool]]]:
    """What is kept of these deliveries: reason, code and whether in doubt of each attempt. A delivery without
    any is left out."""
    found: dict[int, list[tuple[str, int | None, bool]]] = {}
    if not delivery_ids:
        return found
    told = col(DeliveryAttempt.reason), col(DeliveryAttempt.code), col(DeliveryAttempt.in_doubt)
    theirs = col(DeliveryAttempt.delivery_id).in_(bulk.among(delivery_ids))
    for delivery_id, *each in db.execute(select(col(DeliveryAttempt.delivery_id), *told).where(theirs)):
        found.setdefault(delivery_id, []).append(tuple(each))
    return found


def last_doubt() -> Select[Any]:
    """When the last attempt at a delivery began that the platform may have taken; NULL without one."""
    latest = select(func.max(col(DeliveryAttempt.started_at)))
    return latest.where(
        col(DeliveryAttempt.delivery_id) == col(Delivery.id), col(DeliveryAttempt.in_doubt)
    ).correlate(Delivery)


def attempts_of(delivery_ids: Collection[int]) -> dict[int, list[AttemptView]]:
    """The kept attempts of these deliveries, in order; a delivery without any is left out."""
    found: dict[int, list[AttemptView]] = {}
    if not delivery_ids:
        return found
    seen = [getattr(DeliveryAttempt, name) for name in _SEEN]
    theirs = col(DeliveryAttempt.delivery_id).in_(list(delivery_ids))
    with reading() as db:
        rows = db.execute(
            select(col(DeliveryAttempt.delivery_id), *seen)
            .where(theirs)
            .order_by(col(DeliveryAttempt.number), col(DeliveryAttempt.id))
        )
        for delivery_id, *row in rows:
            found.setdefault(delivery_id, []).append(AttemptView(*row))
    return found
