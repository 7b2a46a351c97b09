"""The deliveries of a broadcast: lists with filters, counts, and all of them for an export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlmodel import Session, col

from core.broadcasts.results import Result, condition_of, span_of
from core.customers.names import full_name
from core.db.engine import reading
from core.db.tables import Broadcast, Customer, Delivery, OptIn
from core.text.identifiers import read_id
from core.text.matching import search_key
from core.text.normalise import is_blank


@dataclass(frozen=True)
class DeliveryView:
    id: int
    customer_id: int | None  # None, with an empty name and PSID: the customer was forgotten
    psid: str
    customer: str
    state: str
    reason: str | None
    evidence: str | None
    detail: str | None
    in_doubt: bool
    counted_attempts: int
    promise: str
    mid: str | None
    claimed_at: datetime | None
    settled_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    clicked_at: datetime | None
    replied_at: datetime | None
    # These are facts of the customer and prove nothing about this delivery: docs/decisions/0018.
    all_delivered_at: datetime | None
    all_read_at: datetime | None
    last_event_at: datetime | None


def list_deliveries(
    broadcast_id: int,
    *,
    states: Sequence[str] = (),
    reason: str | None = None,
    arrival: str | None = None,
    search: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[DeliveryView]:
    """Deliveries of a broadcast in order. `arrival` is a word of `results.Result`: only those with it."""
    with reading() as db:
        rows = db.execute(
            _deliveries()
            .where(*_delivery_filters(db, broadcast_id, states, reason, arrival, search))
            .order_by(col(Delivery.id))
            .offset(offset)
            .limit(limit)
        )
        return [_delivery(*row) for row in rows]


def count_deliveries(
    broadcast_id: int,
    *,
    states: Sequence[str] = (),
    reason: str | None = None,
    arrival: str | None = None,
    search: str = "",
) -> int:
    with reading() as db:
        statement = select(func.count()).select_from(Delivery)
        if search:
            statement = statement.join(Customer, col(Customer.id) == col(Delivery.customer_id))
        filters = _delivery_filters(db, broadcast_id, states, reason, arrival, search)
        return int(db.execute(statement.where(*filters)).scalar_one())


def export_deliveries(broadcast_id: int, *, chunk: int = 2000) -> Iterator[DeliveryView]:
    """Every delivery in order, read in chunks so that a million rows need little memory."""
    after = 0
    while True:
        with reading() as db:
            rows = db.execute(
                _deliveries()
                .where(col(Delivery.broadcast_id) == broadcast_id, col(Delivery.id) > after)
                .order_by(col(Delivery.id))
                .limit(chunk)
            )
            views = [_delivery(*row) for row in rows]
        if not views:
            return
        yield from views
        after = views[-1].id


def _deliveries() -> Any:
    return (
        select(Delivery, Customer, col(OptIn.promise))
        .outerjoin(Customer, col(Customer.id) == col(Delivery.customer_id))
        .outerjoin(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))
    )


def _delivery_filters(
    db: Session,
    broadcast_id: int,
    states: Sequence[str],
    reason: str | None,
    arrival: str | None,
    search: str,
) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = [col(Delivery.broadcast_id) == broadcast_id]
    if states:
        made.append(col(Delivery.state).in_(list(states)))
    if reason:
        made.append(col(Delivery.reason) == reason)
    if arrival:
        row = db.execute(
            select(col(Broadcast.topic_id), col(Broadcast.started_at)).where(
                col(Broadcast.id) == broadcast_id
            )
        ).one()
        made.append(condition_of(Result(arrival), span_of(row.topic_id, row.started_at)))
    if not is_blank(search):
        name, psid = search_key(search), read_id(search)
        named = col(Customer.search_text).contains(name, autoescape=True) if name else false()
        made.append(or_(named, col(Customer.psid) == psid) if psid else named)
    return made


def _delivery(row: Delivery, known: Customer | None, promise: str | None) -> DeliveryView:
    customer = known or Customer(psid="")
    return DeliveryView(
        id=row.id or 0,
        customer_id=row.customer_id,
        psid=customer.psid,
        customer=full_name(customer),
        state=row.state,
        reason=row.reason,
        evidence=row.evidence,
        detail=row.detail,
        in_doubt=row.in_doubt,
        counted_attempts=row.tries,
        promise=promise or "",
        mid=row.mid,
        claimed_at=row.claimed_at,
        settled_at=row.settled_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        clicked_at=row.clicked_at,
        replied_at=row.replied_at,
        all_delivered_at=customer.delivered_watermark,
        all_read_at=customer.read_watermark,
        last_event_at=customer.last_event_at,
    )
