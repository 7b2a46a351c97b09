"""What forgetting a person would erase, and where they are known."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import col

from core.consent.rules import OptInState
from core.db.engine import reading
from core.db.tables import Customer, Delivery, OptIn, Reply, Request

_OPEN = (OptInState.AVAILABLE, OptInState.RESERVED, OptInState.REFUSED)


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
