"""What a customer has withdrawn from, and what they have agreed to since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, true
from sqlmodel import Session, col

from core.consent.rules import OptInSource
from core.db.engine import reading
from core.db.tables import OptIn, Topic, Withdrawal


@dataclass(frozen=True)
class WithdrawalView:
    id: int
    topic: str | None  # None: all topics of the fanpage
    source: str  # consent.rules.WithdrawalSource
    at: datetime
    lifted_for: tuple[str, ...]  # topics that they have tapped for since


def list_withdrawals(customer_id: int, *, limit: int = 50) -> list[WithdrawalView]:
    """A customer's withdrawals, the latest first."""
    wanted = (
        select(Withdrawal, col(Topic.name))
        .outerjoin(Topic, col(Topic.id) == col(Withdrawal.topic_id))
        .where(col(Withdrawal.customer_id) == customer_id)
        .order_by(col(Withdrawal.at).desc(), col(Withdrawal.id).desc())
        .limit(limit)
    )
    with reading() as db:
        return [
            WithdrawalView(row.id or 0, topic, row.source, row.at, _lifted_for(db, row))
            for row, topic in db.execute(wanted).all()
        ]


def _lifted_for(db: Session, row: Withdrawal) -> tuple[str, ...]:
    covers = true() if row.topic_id is None else col(OptIn.topic_id) == row.topic_id
    tapped = (
        select(col(Topic.name))
        .join(OptIn, col(OptIn.topic_id) == col(Topic.id))
        .where(
            col(OptIn.customer_id) == row.customer_id,
            col(OptIn.source) == OptInSource.WEBHOOK.value,
            col(OptIn.consented_at) > row.at,
            covers,
        )
        .distinct()
    )
    return tuple(sorted(db.execute(tapped).scalars()))
