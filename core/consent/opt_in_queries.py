"""Opt-ins one by one: lists with filters, counts, and all of them for an export.

An opt-in whose year has ended counts as expired from that moment, also before the worker has marked it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlmodel import col

from core.consent.eligibility import has_ended
from core.consent.rules import OptInState, expires_at
from core.consent.topic_figures import known_figures, large_counts
from core.customers.names import full_name
from core.customers.searching import are_few, named
from core.db.engine import reading
from core.db.tables import Customer, OptIn, Request, Topic
from core.db.timed_cache import remember
from core.text.normalise import is_blank

CHUNK = 2000


@dataclass(frozen=True)
class OptInView:
    id: int
    customer_id: int | None  # None, with an empty name and PSID: the customer was forgotten
    customer: str  # "" while the name is not known
    psid: str
    topic_id: int | None
    topic: str | None
    promise: str
    state: str
    source: str
    entry_kind: str
    entry_value: str
    consented_at: datetime
    expires_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class OptInFilter:
    """What a list shows; without any field everything of the fanpage."""

    topic_id: int | None = None
    without_topic: bool = False
    state: str | None = None
    ends_before: datetime | None = None  # those that may still be used, but only until then
    customer_id: int | None = None
    search: str = ""  # parts of a name, with marks or without, and of a PSID
    agreed: tuple[datetime, datetime] | None = None  # from, and before


EVERYTHING = OptInFilter()
# States that say all by themselves; whether an opt-in is available or has ended, the time says, too.
_WHATEVER_THE_TIME = (OptInState.RESERVED, OptInState.SPENT, OptInState.REFUSED, OptInState.WITHDRAWN)
# Each in the order of an index. An opt-in ends a year after it was agreed to, so both have one order.
ORDERS = {"new": (col(OptIn.id),), "agreed": (col(OptIn.expires_at), col(OptIn.id))}


def list_opt_ins(
    fanpage_id: int,
    chosen: OptInFilter = EVERYTHING,
    *,
    now: datetime,
    offset: int = 0,
    limit: int = 50,
    order: str = "",
    total: int | None = None,
) -> list[OptInView]:
    """By a key of ORDERS ("agreed", or "-agreed" from the end). Without one the newest come first, with
    `ends_before` the first to end. `total`: how many there are, if it is known; few are found quickly so."""
    word = order or usual_order(chosen)
    keys = [key.desc() if word.startswith("-") else key for key in ORDERS[word.removeprefix("-")]]
    few = chosen.customer_id is not None or (total is not None and are_few(total))
    where = _where(fanpage_id, chosen, now, by_name=few, few=few)
    if word == "-new" and not few:
        where.append(col(OptIn.id) > 0)  # else SQLite reads all that have not ended, and sorts them
    page = select(col(OptIn.id)).where(*where).order_by(*keys)
    return _read(_whole().where(col(OptIn.id).in_(page.offset(offset).limit(limit))).order_by(*keys), now)


def usual_order(chosen: OptInFilter) -> str:
    """The order that a list has as long as nobody asks for another. Those who agreed in some span come by
    that time: from the newest on, an old span would be reached late."""
    if chosen.ends_before is not None:
        return "agreed"
    return "-new" if chosen.agreed is None else "-agreed"


def count_opt_ins(fanpage_id: int, chosen: OptInFilter = EVERYTHING, *, now: datetime) -> int:
    where = _where(fanpage_id, chosen, now, by_name=True)
    if chosen.topic_id is not None and is_blank(chosen.search):
        # worded so that the index (topic, state, customer, end) is enough
        topics = select(col(Topic.id)).where(col(Topic.fanpage_id) == fanpage_id)
        where[0] = col(OptIn.topic_id).in_(topics.where(col(Topic.id) == chosen.topic_id))
    statement = select(func.count()).select_from(OptIn).where(*where)
    with reading() as db:
        return int(db.execute(statement).scalar_one())


def count_listed(fanpage_id: int, chosen: OptInFilter, *, now: datetime) -> int:
    """The same as counted last, where counting takes long: for pages."""
    if chosen == OptInFilter(topic_id=chosen.topic_id, state=chosen.state):
        counted = _counted_by_topic(fanpage_id, chosen, now)
        if counted is not None:
            return counted
    # `ends_before` is a time from now on, and the count is kept for a short while only.
    asked = replace(chosen, ends_before=None), chosen.ends_before is not None
    return remember(("opt-ins", fanpage_id, *asked), lambda: count_opt_ins(fanpage_id, chosen, now=now))


def _counted_by_topic(fanpage_id: int, chosen: OptInFilter, now: datetime) -> int | None:
    """From the figures of the topics, if they were counted because that takes long."""
    topics = select(col(Topic.id)).where(col(Topic.fanpage_id) == fanpage_id)
    if chosen.topic_id is not None:
        topics = topics.where(col(Topic.id) == chosen.topic_id)
    with reading() as db:
        topic_ids = [each or 0 for each in db.execute(topics).scalars()]
        if not large_counts(db, topic_ids):
            return None
        figures, _counted_at = known_figures(db, topic_ids, now)
    states = [chosen.state] if chosen.state else list(OptInState)
    found = sum(of_topic.get(state, 0) for of_topic in figures.values() for state in states)
    if chosen.topic_id is not None:
        return found
    return found + count_opt_ins(fanpage_id, OptInFilter(without_topic=True, state=chosen.state), now=now)


def walk_opt_ins(fanpage_id: int, chosen: OptInFilter, *, now: datetime) -> Iterator[OptInView]:
    """The chosen opt-ins in the order in which they came in, read in chunks so that a million need little
    memory."""
    after = 0
    while True:
        page = select(col(OptIn.id)).where(*_where(fanpage_id, chosen, now), col(OptIn.id) > after)
        ids = page.order_by(col(OptIn.id)).limit(CHUNK)
        rows = _read(_whole().where(col(OptIn.id).in_(ids)).order_by(col(OptIn.id)), now)
        yield from rows
        if len(rows) < CHUNK:
            return
        after = rows[-1].id


def _where(
    fanpage_id: int, chosen: OptInFilter, now: datetime, *, by_name: bool = False, few: bool = False
) -> list[ColumnElement[bool]]:
    """`by_name`: a search reads names first and then the opt-ins of those found, not each opt-in's name.
    `few`: so few are chosen that they are best found by what chooses them, and sorted."""
    made: list[ColumnElement[bool]] = [col(OptIn.fanpage_id) == fanpage_id]
    if chosen.without_topic or (few and (chosen.topic_id, chosen.customer_id) != (None, None)):
        made = [_is_of(fanpage_id)]
    elif few and chosen.state in _WHATEVER_THE_TIME:
        made = [_of_state(fanpage_id, chosen.state)]
    if not is_blank(chosen.search) and by_name:
        made = [_searched(fanpage_id, chosen.search)]
    elif not is_blank(chosen.search):
        made.append(_is_named(fanpage_id, chosen.search))
    if chosen.topic_id is not None:
        made.append(col(OptIn.topic_id) == chosen.topic_id)
    if chosen.without_topic:
        made.append(col(OptIn.topic_id).is_(None))
    if chosen.customer_id is not None:
        made.append(col(OptIn.customer_id) == chosen.customer_id)
    if chosen.agreed is not None:
        first, end = map(expires_at, chosen.agreed)  # read in the index of the ends
        made += [col(OptIn.expires_at) >= first, col(OptIn.expires_at) < end]
    if chosen.state is not None:
        made.append(_in_state(chosen.state, now))
    if chosen.ends_before is not None:
        made += [_in_state(OptInState.AVAILABLE, now), col(OptIn.expires_at) <= chosen.ends_before]
    return made


def _is_of(fanpage_id: int) -> ColumnElement[bool]:
    """The fanpage, by no index: something else leads to the opt-ins more quickly. (+ 0 says so.)"""
    return col(OptIn.fanpage_id).op("+")(0) == fanpage_id


def _of_state(fanpage_id: int, state: str) -> ColumnElement[bool]:
    """A fanpage's opt-ins in a rare state, by the index (topic, state): those of its topics, and those that
    have none."""
    topics = select(col(Topic.id)).where(col(Topic.fanpage_id) == fanpage_id)
    in_state = col(OptIn.state) == state
    return or_(
        and_(col(OptIn.topic_id).in_(topics), in_state),
        and_(col(OptIn.topic_id).is_(None), in_state, _is_of(fanpage_id)),
    )


def _searched(fanpage_id: int, search: str) -> ColumnElement[bool]:
    """Opt-ins are of the fanpage that their customers are of, so this alone is enough."""
    return col(OptIn.customer_id).in_(select(col(Customer.id)).where(*named(fanpage_id, search)))


def _is_named(fanpage_id: int, search: str) -> ColumnElement[bool]:
    return exists().where(col(Customer.id) == col(OptIn.customer_id), *named(fanpage_id, search))


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    available = col(OptIn.state) == OptInState.AVAILABLE
    if state == OptInState.AVAILABLE:
        return and_(available, ~has_ended(now))
    if state == OptInState.EXPIRED:
        return or_(col(OptIn.state) == OptInState.EXPIRED, and_(available, has_ended(now)))
    return col(OptIn.state) == state


def _whole() -> Select[OptIn, Customer, Topic, Request]:
    return (
        select(OptIn, Customer, Topic, Request)
        .outerjoin(Customer, col(Customer.id) == col(OptIn.customer_id))
        .outerjoin(Topic, col(Topic.id) == col(OptIn.topic_id))
        .outerjoin(Request, col(Request.id) == col(OptIn.request_id))
    )


def _read(statement: Select[OptIn, Customer, Topic, Request], now: datetime) -> list[OptInView]:
    with reading() as db:
        return [_view(row, now) for row in db.execute(statement)]


def _view(row: Any, now: datetime) -> OptInView:
    opt_in, known, topic, request = row
    customer = known or Customer(psid="")
    is_over = opt_in.state == OptInState.AVAILABLE and opt_in.expires_at <= now
    return OptInView(
        id=opt_in.id,
        customer_id=customer.id,
        customer=full_name(customer),
        psid=customer.psid,
        topic_id=opt_in.topic_id,
        topic=topic.name if topic else None,
        promise=opt_in.promise,
        state=OptInState.EXPIRED if is_over else OptInState(opt_in.state),
        source=opt_in.source,
        entry_kind=request.entry_kind if request else "",
        entry_value=request.entry_value if request else "",
        consented_at=opt_in.consented_at,
        expires_at=opt_in.expires_at,
        settled_at=opt_in.settled_at,
    )
