"""The weekly cap: how many broadcasts a customer gets within seven days, whatever the topics."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    and_,
    func,
    or_,
    select,
)
from sqlmodel import col

from core.consent.contact_limits import WEEK
from core.db.tables import Broadcast, Customer, Delivery, Fanpage
from core.deliveries.rules import LIVE


def has_had_enough(now: datetime) -> ColumnElement[bool]:
    """Whether a customer has got as many broadcasts within seven days as their fanpage allows, whatever the
    topics; what waits or may have arrived counts as well."""
    since = now - WEEK
    goes_on = or_(col(Broadcast.finished_at).is_(None), col(Broadcast.finished_at) > since)
    # No delivery of an older broadcast can count: so few rows are read, however long a customer's history.
    oldest = select(func.min(Broadcast.id)).where(col(Broadcast.started_at).is_not(None), goes_on)
    got = (
        select(func.count())
        .where(
            col(Delivery.customer_id) == col(Customer.id),
            col(Delivery.broadcast_id) >= oldest.scalar_subquery(),
            col(Delivery.state).in_(LIVE),
            or_(col(Delivery.settled_at).is_(None), col(Delivery.settled_at) > since),
        )
        .correlate(Customer)
        .scalar_subquery()
    )
    cap = (
        select(col(Fanpage.broadcasts_a_week))
        .where(col(Fanpage.id) == col(Customer.fanpage_id))
        .correlate(Customer)
        .scalar_subquery()
    )
    return and_(cap > 0, got >= cap)
