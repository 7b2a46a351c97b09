"""What a "no" stands against, as one condition that every statement of the ledger shares.

A withdrawal stands against each consent that is not newer than it. An import is no consent given anew, so it
stands against imports of any date, until the person taps once more for that topic: docs/decisions/0031.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.consent.rules import OptInSource
from core.db.tables import OptIn, Withdrawal


def is_before_withdrawal(customer_id: Any, topic_id: Any, consented_at: Any) -> ColumnElement[bool]:
    """Whether the person has said no to a topic (none: to all) since they consented. Decides for a tap."""
    return _said_no(customer_id, topic_id, col(Withdrawal.at) >= consented_at)


def is_withdrawn(customer_id: Any, topic_id: Any, source: Any, consented_at: Any) -> ColumnElement[bool]:
    """Whether a withdrawal stands against a consent of any source."""
    tap = aliased(OptIn)
    tapped_since = exists().where(
        col(tap.customer_id) == customer_id,
        col(tap.topic_id) == topic_id,
        col(tap.source) == OptInSource.WEBHOOK.value,
        col(tap.consented_at) > col(Withdrawal.at),
    )
    no_consent_anew = and_(source == OptInSource.IMPORT.value, ~tapped_since)
    return _said_no(customer_id, topic_id, or_(col(Withdrawal.at) >= consented_at, no_consent_anew))


def remember(db: Session, no: Withdrawal) -> bool:
    """Keep what a person said. False when this very no was known already."""
    columns = (Withdrawal.customer_id, Withdrawal.topic_id, Withdrawal.at)
    values = (no.customer_id, no.topic_id, no.at)
    same = [col(column).is_not_distinct_from(value) for column, value in zip(columns, values, strict=True)]
    if db.execute(select(exists().where(*same))).scalar_one():
        return False
    db.add(no)
    db.flush()
    return True


def _said_no(customer_id: Any, topic_id: Any, stands: ColumnElement[bool]) -> ColumnElement[bool]:
    covers = or_(col(Withdrawal.topic_id).is_(None), col(Withdrawal.topic_id) == topic_id)
    return exists().where(col(Withdrawal.customer_id) == customer_id, covers, stands)
