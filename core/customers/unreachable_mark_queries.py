"""The marks on customers who cannot be reached, as staff see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from core.customers import unreachable_marks
from core.db.engine import reading
from core.db.tables import Broadcast, Customer, Delivery


@dataclass(frozen=True)
class MarkView:
    """Why a customer counts as unreachable."""

    code: str  # a code word of messenger.reasons
    at: datetime  # when Messenger said so
    detail: str  # its answer, without secrets; "" when it was not kept
    firm_at: datetime | None  # when a later call was accepted; None: tentative
    broadcast_id: int | None  # None: it answered a reply of the chatbot, or is not known any more
    broadcast: str


@dataclass(frozen=True)
class BroadcastMarkCounts:
    """How many customers are marked because of a broadcast."""

    firm: int
    tentative: int

    @property
    def people(self) -> int:
        return self.firm + self.tentative


def get_mark(customer_id: int) -> MarkView | None:
    """The mark of a customer, or None."""
    statement = (
        select(Customer, col(Broadcast.id), col(Broadcast.name))
        .outerjoin(Delivery, col(Delivery.id) == col(Customer.unreachable_delivery_id))
        .outerjoin(Broadcast, col(Broadcast.id) == col(Delivery.broadcast_id))
        .where(col(Customer.id) == customer_id)
    )
    with reading() as db:
        row = db.execute(statement).one_or_none()
    if row is None or row[0].unreachable_at is None:
        return None
    customer, broadcast_id, name = row
    return MarkView(
        code=customer.unreachable_code or "",
        at=customer.unreachable_at,
        detail=customer.unreachable_detail or "",
        firm_at=customer.unreachable_firm_at,
        broadcast_id=broadcast_id,
        broadcast=name or "",
    )


def count_marks_of(fanpage_id: int, broadcast_id: int) -> BroadcastMarkCounts:
    """Count the customers who are still marked because of this broadcast."""
    statement = select(func.count(), func.count(col(Customer.unreachable_firm_at))).where(
        *unreachable_marks.made_by(fanpage_id, broadcast_id)
    )
    with reading() as db:
        people, firm = db.execute(statement).one()
    return BroadcastMarkCounts(firm, people - firm)
