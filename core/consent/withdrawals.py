"""Which consents a withdrawal applies to, as one condition that every statement of the ledger shares.

A withdrawal applies to every consent that is not newer than it. An import is no new consent, so a withdrawal
applies to imports of any date until the customer taps once more for that topic: docs/decisions/0031.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.consent.rules import OptInSource
from core.db.tables import OptIn, Withdrawal


def is_before_withdrawal(customer_id: Any, topic_id: Any, consented_at: Any) -> ColumnElement[bool]:
    """Whether a customer has withdrawn from a topic, or from all, since they consented by a tap."""
    return _has_withdrawn(customer_id, topic_id, col(Withdrawal.at) >= consented_at)


def is_withdrawn(customer_id: Any, topic_id: Any, source: Any, consented_at: Any) -> ColumnElement[bool]:
    """Whether a withdrawal applies to a consent, whatever its source is."""
    is_no_new_consent = and_(source == OptInSource.IMPORT.value, ~_tapped_since(customer_id, topic_id))
    return _has_withdrawn(customer_id, topic_id, or_(col(Withdrawal.at) >= consented_at, is_no_new_consent))


def has_said_no(customer_id: Any, topic_id: Any) -> ColumnElement[bool]:
    """Whether a customer has withdrawn from a topic, or from all, and has not tapped for it since."""
    return _has_withdrawn(customer_id, topic_id, ~_tapped_since(customer_id, topic_id))


def was_said_since(db: Session, customer_id: int, at: datetime) -> bool:
    """Whether a customer has withdrawn from anything after that time."""
    later = select(exists().where(col(Withdrawal.customer_id) == customer_id, col(Withdrawal.at) > at))
    return bool(db.execute(later).scalar_one())


def _tapped_since(customer_id: Any, topic_id: Any) -> ColumnElement[bool]:
    tap = aliased(OptIn)
    taps = select(col(tap.id)).where(
        col(tap.customer_id) == customer_id,
        col(tap.topic_id) == topic_id,
        col(tap.source) == OptInSource.WEBHOOK.value,
        col(tap.consented_at) > col(Withdrawal.at),
    )
    return taps.correlate_except(tap).exists()


def remember(db: Session, withdrawal: Withdrawal) -> bool:
    """Store a withdrawal. Returns False when this very one was known already."""
    columns = (Withdrawal.customer_id, Withdrawal.topic_id, Withdrawal.at)
    values = (withdrawal.customer_id, withdrawal.topic_id, withdrawal.at)
    same = [col(column).is_not_distinct_from(value) for column, value in zip(columns, values, strict=True)]
    if db.execute(select(exists().where(*same))).scalar_one():
        return False
    db.add(withdrawal)
    db.flush()
    return True


def _has_withdrawn(customer_id: Any, topic_id: Any, applies: ColumnElement[bool]) -> ColumnElement[bool]:
    covers = or_(col(Withdrawal.topic_id).is_(None), col(Withdrawal.topic_id) == topic_id)
    withdrawn = select(col(Withdrawal.id)).where(col(Withdrawal.customer_id) == customer_id, covers, applies)
    # Said outright: by itself SQLAlchemy ties a statement only to the one right around it, not farther out.
    return withdrawn.correlate_except(Withdrawal).exists()
