"""Customers: the searchable list, and everything one of them agreed to, was asked and was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, distinct, exists, func, select
from sqlmodel import Session, col

from core.consent import eligibility
from core.customers import tags
from core.customers.names import full_name
from core.customers.searching import are_few, named
from core.db.engine import reading
from core.db.tables import Broadcast, Customer, Delivery, OptIn, Request, Topic
from core.db.timed_cache import remember
from core.errors import N_, NotFound
from core.text.collation import sort_key
from core.text.identifiers import read_id
from core.text.normalise import is_blank


class Only(StrEnum):
    """Which customers a list shows."""

    HOLDING = "holding"  # a broadcast on some topic would reach them
    WINDOW = "window"  # inside the 24-hour messaging window
    UNREACHABLE = "unreachable"  # marked, firmly or not


# Each in the order of an index. `search_text` begins with the name, without case and marks.
ORDERS = {
    "new": (col(Customer.id),),
    "name": (col(Customer.search_text), col(Customer.id)),
}


@dataclass(frozen=True)
class CustomerView:
    id: int
    fanpage_id: int
    psid: str
    name: str  # "" while the name is not known
    locale: str | None
    available: int  # opt-ins that may be used
    topics: tuple[str, ...]  # of those opt-ins
    tags: tuple[str, ...]
    window_closes_at: datetime | None
    last_event_at: datetime | None
    unreachable_at: datetime | None  # when marked; the evidence: customers/unreachable_mark_queries.py
    is_left_out: bool  # the mark is firm
    created_at: datetime


@dataclass(frozen=True)
class RequestView:
    id: int
    topic: str
    title: str
    entry_kind: str
    entry_value: str
    created_at: datetime
    tapped_at: datetime | None


@dataclass(frozen=True)
class DeliveryToCustomer:
    id: int
    broadcast_id: int
    broadcast: str
    topic: str
    state: str
    reason: str | None
    settled_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None


def list_customers(
    fanpage_id: int,
    *,
    now: datetime,
    search: str = "",
    only: str | None = None,
    tag_id: int | None = None,
    offset: int = 0,
    limit: int = 50,
    order: str = "-new",
    total: int | None = None,
) -> list[CustomerView]:
    """The newest first, or by a key of ORDERS ("name", or "-name" from the end). `search` finds parts of
    names, with marks or without, and of PSIDs. `total`: how many there are, if it is known; it makes a search
    quick."""
    keys: Sequence[Any] = ORDERS[order.removeprefix("-")]
    if keys == ORDERS["new"] and not is_blank(search) and total is not None and are_few(total):
        keys = [col(Customer.id).op("+")(0)]  # + 0: by names, not customer after customer until enough match
    page = select(col(Customer.id)).where(*_where(fanpage_id, now, search, only, tag_id))
    page = page.order_by(*(key.desc() if order.startswith("-") else key for key in keys))
    with reading() as db:
        ids = db.execute(page.offset(offset).limit(limit)).scalars().all()
        found = db.execute(select(Customer).where(col(Customer.id).in_(ids))).scalars().all()
        return _views(db, sorted(found, key=lambda row: ids.index(row.id)), now)


def count_customers(
    fanpage_id: int,
    *,
    now: datetime,
    search: str = "",
    only: str | None = None,
    tag_id: int | None = None,
) -> int:
    """As counted last, where counting takes long."""
    key = ("customers", fanpage_id, search, only, tag_id)
    return remember(key, lambda: _count(fanpage_id, now, search, only, tag_id))


def _count(fanpage_id: int, now: datetime, search: str, only: str | None, tag_id: int | None) -> int:
    where = _where(fanpage_id, now, search, only, tag_id)
    statement = select(func.count()).select_from(Customer).where(*where)
    with reading() as db:
        if only == Only.HOLDING and is_blank(search) and tag_id is None:
            return _count_holders(db, fanpage_id, now)
        return int(db.execute(statement).scalar_one())


def _count_holders(db: Session, fanpage_id: int, now: datetime) -> int:
    """Those who hold a usable opt-in, counted from the index alone, less the few of them who are kept out."""
    holders = select(func.count(distinct(col(OptIn.customer_id)))).where(eligibility.is_usable(now))
    topics = select(col(Topic.id)).where(col(Topic.fanpage_id) == fanpage_id)
    unreachable = (
        holders.join(Customer, col(Customer.id) == col(OptIn.customer_id))
        .where(col(Customer.fanpage_id) == fanpage_id, eligibility.is_kept_out_indefinitely(now))
        .where(col(OptIn.topic_id).op("+")(0) > 0)
    )
    everybody = int(db.execute(holders.where(col(OptIn.topic_id).in_(topics))).scalar_one())
    return everybody - int(db.execute(unreachable).scalar_one())


def get_customer(customer_id: int, *, now: datetime) -> CustomerView:
    with reading() as db:
        row = db.get(Customer, customer_id)
        if row is None:
            raise NotFound(N_("There is no customer {id}."), id=customer_id)
        return _views(db, [row], now)[0]


def find_customer(fanpage_id: int, psid: str) -> int | None:
    """The customer with this PSID, as it was typed or pasted."""
    wanted = select(col(Customer.id)).where(
        col(Customer.fanpage_id) == fanpage_id, col(Customer.psid) == read_id(psid)
    )
    with reading() as db:
        return db.execute(wanted).scalar_one_or_none()


def list_requests(customer_id: int, *, limit: int = 50) -> list[RequestView]:
    """What a customer was asked, the latest first."""
    wanted = (
        select(Request, col(Topic.name))
        .join(Topic, col(Topic.id) == col(Request.topic_id))
        .where(col(Request.customer_id) == customer_id)
        .order_by(col(Request.id).desc())
        .limit(limit)
    )
    with reading() as db:
        return [_request(row, topic) for row, topic in db.execute(wanted)]


def list_deliveries(customer_id: int, *, limit: int = 50) -> list[DeliveryToCustomer]:
    """The broadcasts a customer was meant to get, the latest first."""
    wanted = (
        select(Delivery, col(Broadcast.name), col(Topic.name))
        .join(Broadcast, col(Broadcast.id) == col(Delivery.broadcast_id))
        .join(Topic, col(Topic.id) == col(Broadcast.topic_id))
        .where(col(Delivery.customer_id) == customer_id)
        .order_by(col(Delivery.id).desc())
        .limit(limit)
    )
    with reading() as db:
        return [_delivery(row, name, topic) for row, name, topic in db.execute(wanted)]


def _where(
    fanpage_id: int, now: datetime, search: str, only: str | None, tag_id: int | None
) -> list[ColumnElement[bool]]:
    made = named(fanpage_id, search)
    if only == Only.HOLDING:
        theirs = and_(col(OptIn.customer_id) == col(Customer.id), col(OptIn.topic_id).is_not(None))
        made += [
            exists().where(theirs, eligibility.is_usable(now)),
            ~eligibility.is_kept_out_indefinitely(now),
        ]
    if tag_id is not None:
        made.append(tags.has_tag(tag_id))
    if only == Only.WINDOW:
        made.append(col(Customer.window_closes_at) > now)
    if only == Only.UNREACHABLE:
        made.append(col(Customer.unreachable_at).is_not(None))
    return made


def _views(db: Session, rows: Sequence[Customer], now: datetime) -> list[CustomerView]:
    ids = [row.id for row in rows]
    held = (
        select(col(OptIn.customer_id), col(Topic.name), func.count())
        .outerjoin(Topic, col(Topic.id) == col(OptIn.topic_id))
        .where(col(OptIn.customer_id).in_(ids), eligibility.is_usable(now))
        .group_by(col(OptIn.customer_id), col(Topic.name))
    )
    by_customer: dict[int, list[tuple[str | None, int]]] = {}
    for customer_id, topic, count in sorted(db.execute(held), key=lambda row: sort_key(row[1] or "")):
        by_customer.setdefault(customer_id, []).append((topic, count))
    tagged = tags.tags_of(db, [id_ or 0 for id_ in ids])
    return [_view(row, by_customer.get(row.id or 0, []), tagged.get(row.id or 0, ())) for row in rows]


def _view(row: Customer, held: list[tuple[str | None, int]], tagged: tuple[str, ...]) -> CustomerView:
    return CustomerView(
        id=row.id or 0,
        fanpage_id=row.fanpage_id,
        psid=row.psid,
        name=full_name(row),
        locale=row.locale,
        available=sum(count for _, count in held),
        topics=tuple(topic for topic, _ in held if topic),
        tags=tagged,
        window_closes_at=row.window_closes_at,
        last_event_at=row.last_event_at,
        unreachable_at=row.unreachable_at,
        is_left_out=row.unreachable_firm_at is not None,
        created_at=row.created_at,
    )


def _request(row: Request, topic: str) -> RequestView:
    return RequestView(
        row.id or 0, topic, row.title, row.entry_kind, row.entry_value, row.created_at, row.tapped_at
    )


def _delivery(row: Delivery, broadcast: str, topic: str) -> DeliveryToCustomer:
    return DeliveryToCustomer(
        id=row.id or 0,
        broadcast_id=row.broadcast_id,
        broadcast=broadcast,
        topic=topic,
        state=row.state,
        reason=row.reason,
        settled_at=row.settled_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
    )
