"""Reads about customers: the marks on them as staff see them, and what forgetting a person erases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from core.consent.rules import OptInState
from core.customers import unreachable_marks
from core.db.engine import reading
from core.db.tables import Broadcast, Customer, Delivery, OptIn, Reply, Request

_OPEN = (OptInState.AVAILABLE, OptInState.RESERVED, OptInState.REFUSED)


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


@dataclass(frozen=True)
class RecordCounts:
    """How much is stored about a customer."""

    opt_ins: int
    open_opt_ins: int  # of those, not used yet: they never will be
    requests: int
    deliveries: int
    replies: int


def count_records_of(customer_id: int) -> RecordCounts:
    """Count what is stored about a customer."""
    opt_ins = select(func.count()).where(col(OptIn.customer_id) == customer_id)
    counted = [
        opt_ins,
        opt_ins.where(col(OptIn.state).in_(_OPEN)),
        *(
            select(func.count()).where(col(table.customer_id) == customer_id)
            for table in (Request, Delivery, Reply)
        ),
    ]
    with reading() as db:
        return RecordCounts(*(int(db.execute(each).scalar_one()) for each in counted))


def fanpages_that_know(psid: str) -> list[int]:
    """The ids of the fanpages that have a customer with this PSID."""
    wanted = select(col(Customer.fanpage_id)).where(col(Customer.psid) == psid)
    with reading() as db:
        return list(db.execute(wanted.order_by(col(Customer.fanpage_id))).scalars())
