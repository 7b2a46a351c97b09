"""The attempts at deliveries that were not accepted at once: kept when they are settled, read as evidence.

A message that never left this machine is no attempt. Keeping an attempt again adds nothing. The table is
called `delivery_try`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.db import bulk
from core.db.engine import reading
from core.db.tables import Delivery, DeliveryAttempt
from core.deliveries.rules import LEASE_RAN_OUT
from core.messenger.client import Accepted, Answer
from core.messenger.errors import BAD_PARAMETER, Failure, NextStep

ACCEPTED = "accepted"
_KEPT = (
    "delivery_id",
    "number",
    "reason",
    "in_doubt",
    "status",
    "code",
    "subcode",
    "detail",
    "started_at",
    "answered_at",
)


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


def keep(db: Session, attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Keep the attempts that tell something: refusals, doubts, and acceptances that follow kept attempts."""
    accepted = [each.delivery_id for each in attempts if isinstance(each.answer, Accepted)]
    told = _with_history(db, accepted)
    worth = [each for each in attempts if isinstance(each.answer, Failure) or each.delivery_id in told]
    rows = [row for attempt in worth if (row := _row(attempt, now))]
    _insert(db, rows)


def _with_history(db: Session, delivery_ids: Sequence[int]) -> set[int]:
    """Which of these deliveries have kept attempts. The others were only handed back unsent."""
    if not delivery_ids:
        return set()
    chosen = col(DeliveryAttempt.delivery_id).in_(bulk.among(delivery_ids))
    return set(db.execute(select(col(DeliveryAttempt.delivery_id)).where(chosen)).scalars())


def keep_lost(db: Session, lost: Sequence[tuple[int, int, datetime]]) -> None:
    """Keep the attempts whose worker died or whose lease ran out, given as delivery, number of the claim and
    its time. Each is in doubt."""
    rows: list[list[object]] = [
        [
            delivery_id,
            number,
            LEASE_RAN_OUT,
            True,
            None,
            None,
            None,
            None,
            bulk.stamp(at),
            None,
        ]
        for delivery_id, number, at in lost
    ]
    _insert(db, rows)


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
    if not reasons:
        return set()
    theirs = col(DeliveryAttempt.delivery_id).in_(bulk.among(reasons))
    rows = db.execute(select(col(DeliveryAttempt.delivery_id), col(DeliveryAttempt.reason)).where(theirs))
    return {delivery_id for delivery_id, reason in rows if reasons[delivery_id] == reason}


def only_said_of_the_token(db: Session, delivery_ids: Collection[int]) -> set[int]:
    """Those whose every kept attempt ended with code 100 and without a doubt: the platform has said nothing
    else of them, so no passing fault explains the refusal."""
    if not delivery_ids:
        return set()
    theirs = col(DeliveryAttempt.delivery_id).in_(bulk.among(delivery_ids))
    rows = db.execute(
        select(
            col(DeliveryAttempt.delivery_id), col(DeliveryAttempt.code), col(DeliveryAttempt.in_doubt)
        ).where(theirs)
    ).all()
    other = {delivery_id for delivery_id, code, doubt in rows if code != BAD_PARAMETER or doubt}
    return {delivery_id for delivery_id, _, _ in rows} - other


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
    with reading() as db:
        rows = db.execute(
            select(DeliveryAttempt)
            .where(col(DeliveryAttempt.delivery_id).in_(list(delivery_ids)))
            .order_by(col(DeliveryAttempt.number), col(DeliveryAttempt.id))
        ).scalars()
        for row in rows:
            found.setdefault(row.delivery_id, []).append(_view(row))
    return found


def _view(row: DeliveryAttempt) -> AttemptView:
    return AttemptView(
        reason=row.reason,
        in_doubt=row.in_doubt,
        status=row.status,
        code=row.code,
        subcode=row.subcode,
        detail=row.detail,
        started_at=row.started_at,
        answered_at=row.answered_at,
    )
