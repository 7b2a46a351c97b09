"""Erases what is stored about a person, inside the caller's transaction.

What is counted stays without the person: deliveries and opt-ins in their states, and requests.
Everything else is deleted. No row that stays leads to another row of the same person, except
that a delivery knows its opt-in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, cast, delete, func, literal, or_, select
from sqlalchemy import Table as SqlTable
from sqlmodel import Session, col

from core.consent import ledger as opt_in_ledger
from core.db import bulk, row_locks
from core.db.tables import (
    Customer,
    Delivery,
    DeliveryAttempt,
    Event,
    OptIn,
    OptInImport,
    Request,
    Table,
)
from core.deliveries import ledger as delivery_ledger
from core.deliveries import recent_outcomes
from core.deliveries.rules import DeliveryState

WITHDRAWN = "withdrawn"  # the reason of a delivery whose opt-in may not be used any more
_UNDER_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
STAYS = {"request", "opt_in", "delivery"}  # tables whose rows stay, without the customer
IN_OPEN_TRANSACTIONS = 100_000  # more events than servers can be storing at one moment


def lock_customer(db: Session, fanpage_id: int, psid: str) -> Customer | None:
    """Lock a customer with their deliveries and return them, or None. From now on no row is made for them and
    none of their deliveries changes its state."""
    theirs = col(Customer.fanpage_id) == fanpage_id, col(Customer.psid) == psid
    under_way = select(col(Delivery.broadcast_id)).where(col(Delivery.state).in_(_UNDER_WAY))
    of_them = col(Delivery.customer_id).in_(select(col(Customer.id)).where(*theirs))
    row_locks.lock_broadcasts(db, set(db.execute(under_way.where(of_them)).scalars()))
    customer = db.execute(select(Customer).where(*theirs).with_for_update()).scalar_one_or_none()
    if customer:
        row_locks.lock_deliveries(db, _ids(db, Delivery, customer.id))
    return customer


def erase_customer(db: Session, customer_id: int, *, now: datetime) -> None:
    """Erase a customer whom `lock_customer` has locked. A delivery that is being sent is
    settled when its answer comes."""
    delivery_ids = _ids(db, Delivery, customer_id)
    customer = db.get_one(Customer, customer_id)
    theirs = select(col(Delivery.broadcast_id)).where(col(Delivery.customer_id) == customer_id)
    broadcasts = set(db.execute(theirs).scalars())
    their_deliveries = col(Delivery.customer_id) == customer_id
    delivery_ledger.end_queued(db, DeliveryState.SKIPPED, their_deliveries, reason=WITHDRAWN, now=now)
    opt_in_ledger.forget(db, _ids(db, OptIn, customer_id), now=now)
    db.execute(bulk.remove(DeliveryAttempt, col(DeliveryAttempt.delivery_id).in_(bulk.among(delivery_ids))))
    db.execute(_of(Delivery, customer_id).values(customer_id=None, mid=None, detail=None))
    nobody = literal("forgotten:").concat(cast(col(Request.id), String))
    db.execute(_of(Request, customer_id).values(customer_id=None, payload=nobody))
    for table, column in _about_customers():
        db.execute(delete(table).where(column == customer_id))
    db.execute(bulk.remove(Customer, col(Customer.id) == customer_id))
    recent_outcomes.forget_customer(db, customer_id, customer.fanpage_id, broadcasts)


def events_of(db: Session, page_id: str, psid: str, *, after: int = 0) -> list[int]:
    """The ids of webhook events that are from or about a person, or name them, with ids above `after`."""
    named = col(Event.body).contains(f'"{psid}"', autoescape=True)
    theirs = select(col(Event.id)).where(
        col(Event.page_id) == page_id, col(Event.id) > after, or_(col(Event.psid) == psid, named)
    )
    return [id_ for id_ in db.execute(theirs).scalars() if id_]


def newest_event(db: Session) -> int:
    """An id below those of all events that are stored from now on, or in a transaction that is open now."""
    newest = db.execute(select(func.max(col(Event.id)))).scalar_one() or 0
    return max(0, newest - IN_OPEN_TRANSACTIONS)


def erase_events(db: Session, ids: Collection[int]) -> None:
    """Delete these webhook events."""
    db.execute(bulk.remove(Event, col(Event.id).in_(bulk.among(ids))))


def blank_imports(db: Session, fanpage_id: int, psid: str) -> None:
    """Remove the reasons for which an import left out rows, where they name the person."""
    named = cast(col(OptInImport.rejected), Text).contains(psid, autoescape=True)
    here = col(OptInImport.fanpage_id) == fanpage_id
    db.execute(bulk.change(OptInImport, here, named).values(rejected=[]))


def _about_customers() -> Iterator[tuple[SqlTable, Any]]:
    """The tables whose rows are deleted with a customer, each before those that it refers to."""
    for table in reversed(Table.metadata.sorted_tables):
        if table.name not in STAYS:
            for key in table.foreign_keys:
                if key.column.table.name == "customer":
                    yield table, key.parent


def _of(table: type[Delivery] | type[Request], customer_id: int) -> Any:
    return bulk.change(table, col(table.customer_id) == customer_id)


def _ids(db: Session, table: type[Delivery] | type[OptIn], customer_id: int | None) -> list[int]:
    theirs = select(col(table.id)).where(col(table.customer_id) == customer_id).order_by(col(table.id))
    return [id_ for id_ in db.execute(theirs).scalars() if id_]
