"""The tries of a delivery that was not simply accepted at once: kept with the settle, read as evidence.

What never left this machine is no try. A repeated settle adds nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.database import reading
from core.db import bulk
from core.messenger.client import Accepted
from core.messenger.errors import BAD_PARAMETER, Failure, NextStep
from core.sending.rules import LEASE_RAN_OUT
from core.tables import Delivery, Try

if TYPE_CHECKING:
    from core.sending.settling import Outcome

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
class TryView:
    reason: str  # a code word of messenger.reasons, "lease_ran_out" or "accepted"
    in_doubt: bool  # it may have been taken
    status: int | None
    code: int | None
    subcode: int | None
    detail: str | None
    started_at: datetime
    answered_at: datetime | None


def keep(db: Session, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """One statement for all of a handful, and none when all of it was accepted at once."""
    accepted = [o for o in outcomes if isinstance(o.answer, Accepted) and o.claim.attempt > 1]
    told = _with_tries(db, [o.claim.delivery_id for o in accepted])
    worth = [o for o in outcomes if isinstance(o.answer, Failure) or o.claim.delivery_id in told]
    rows = [row for outcome in worth if (row := _row(outcome, now))]
    _insert(db, rows)


def _with_tries(db: Session, delivery_ids: Sequence[int]) -> set[int]:
    """Which of these have a history that their acceptance belongs to; others were only handed back."""
    if not delivery_ids:
        return set()
    chosen = col(Try.delivery_id).in_(bulk.among(delivery_ids))
    return set(db.execute(select(col(Try.delivery_id)).where(chosen)).scalars())


def keep_lost(db: Session, lost: Sequence[tuple[int, int, datetime]]) -> None:
    """(delivery, attempt, claimed at) of claims whose worker died or whose lease ran out."""
    rows: list[list[object]] = [
        [
            delivery_id,
            attempt,
            LEASE_RAN_OUT,
            True,
            None,
            None,
            None,
            None,
            bulk.stamp(at),
            None,
        ]
        for delivery_id, attempt, at in lost
    ]
    _insert(db, rows)


def _row(outcome: Outcome, now: datetime) -> list[object] | None:
    claim, answer = outcome.claim, outcome.answer
    times = [bulk.stamp(at or now) for at in (outcome.started_at, outcome.answered_at)]
    if isinstance(answer, Accepted):
        return [claim.delivery_id, claim.attempt, ACCEPTED, False, 200, None, None, None, *times]
    if answer.step == NextStep.NOT_SENT:
        return None
    doubt = answer.step == NextStep.IN_DOUBT
    said = (answer.status, answer.code, answer.subcode, answer.detail or None)
    return [claim.delivery_id, claim.attempt, answer.reason, doubt, *said, *times]


def _insert(db: Session, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        db.connection().execute(_statement(), bulk.bound(rows))


@cache
def _statement() -> Any:
    """None of a delivery whose customer was forgotten meanwhile."""
    rows = bulk.rows_given(bulk.columns_of(Try, *_KEPT)).subquery()
    theirs = (col(Delivery.id) == rows.c.delivery_id) & col(Delivery.customer_id).is_not(None)
    return bulk.insert_selected(Try, {**rows.c}, rows.join(Delivery, theirs)).on_conflict_do_nothing()


def refused_before(db: Session, reasons: Mapping[int, str]) -> set[int]:
    """Which of these deliveries were refused before for the same reason."""
    if not reasons:
        return set()
    theirs = col(Try.delivery_id).in_(bulk.among(reasons))
    rows = db.execute(select(col(Try.delivery_id), col(Try.reason)).where(theirs))
    return {delivery_id for delivery_id, reason in rows if reasons[delivery_id] == reason}


def only_said_of_the_token(db: Session, delivery_ids: Collection[int]) -> set[int]:
    """Those whose every earlier try was refused as now, while the line was silent: no passing fault."""
    if not delivery_ids:
        return set()
    theirs = col(Try.delivery_id).in_(bulk.among(delivery_ids))
    rows = db.execute(select(col(Try.delivery_id), col(Try.code), col(Try.in_doubt)).where(theirs)).all()
    other = {delivery_id for delivery_id, code, doubt in rows if code != BAD_PARAMETER or doubt}
    return {delivery_id for delivery_id, _, _ in rows} - other


def last_doubt() -> Select[Any]:
    """When the last try of a delivery set out that may have been taken; None without one."""
    latest = select(func.max(col(Try.started_at)))
    return latest.where(col(Try.delivery_id) == col(Delivery.id), col(Try.in_doubt)).correlate(Delivery)


def tries_of(delivery_ids: Collection[int]) -> dict[int, list[TryView]]:
    """Of each of these deliveries that has any, in their order."""
    found: dict[int, list[TryView]] = {}
    if not delivery_ids:
        return found
    with reading() as db:
        rows = db.execute(
            select(Try)
            .where(col(Try.delivery_id).in_(list(delivery_ids)))
            .order_by(col(Try.number), col(Try.id))
        ).scalars()
        for row in rows:
            found.setdefault(row.delivery_id, []).append(_view(row))
    return found


def _view(row: Try) -> TryView:
    return TryView(
        reason=row.reason,
        in_doubt=row.in_doubt,
        status=row.status,
        code=row.code,
        subcode=row.subcode,
        detail=row.detail,
        started_at=row.started_at,
        answered_at=row.answered_at,
    )
