"""Whether the opt-in of a delivery is still its own to use: conditions that several statements share."""

from __future__ import annotations

from sqlalchemy import Exists, exists
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.db.tables import Delivery
from core.deliveries.rules import LIVE


def held_elsewhere() -> Exists:
    """Whether another broadcast has taken the opt-in of a delivery meanwhile."""
    other = aliased(Delivery)
    return exists().where(
        col(other.opt_in_id) == col(Delivery.opt_in_id),
        col(other.id) != col(Delivery.id),
        col(other.state).in_(LIVE),
    )
