"""Counts what broadcasts have achieved; the worker does it now and then, so that every page reads one row.

The older a broadcast, and the longer its counting takes, the more rarely it is counted. Two months after its
start its result stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, String, bindparam, cast, func, select
from sqlmodel import Session, col

from core.broadcasts.results import Result, Span, condition_of, last_moment
from core.clicks.rules import PLACES, links_in
from core.conversation.rules import render
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, BroadcastResult, Delivery, UtcTime
from core.deliveries.rules import DeliveryState

FRESH = timedelta(seconds=8)
AGED = 0.01  # a broadcast of a hundred minutes is counted every minute
COUNTED_FOR = timedelta(days=60)
SHARE = 100  # a counting that takes a second is done every hundred seconds at most
AT_ONCE_SECONDS = 0.02  # beside hundreds of broadcasts the rest is for the next time: sending goes first
HOURS = 7 * 24  # of its time that are told apart
BY_HOUR: dict[Result, Any] = {
    Result.SENT: col(Delivery.claimed_at),
    Result.READ: col(Delivery.read_at),
    Result.CLICKED: col(Delivery.clicked_at),
    Result.REPLIED: col(Delivery.replied_at),
}
# What was sent of the broadcast whose id is bound as `broadcast_id`.
_SENT = (
    col(Delivery.broadcast_id) == bindparam("broadcast_id", type_=BigInteger()),
    col(Delivery.state) == DeliveryState.SENT,
)


def count_results(*, now: datetime) -> list[int]:
    """Count the results that are due, those that were counted longest ago first, as many as there is time
    for. Returns the ids of their broadcasts."""
    statement = (
        select(
            col(Broadcast.id),
            col(Broadcast.started_at),
            col(BroadcastResult.counted_at),
            col(BroadcastResult.seconds),
        )
        .outerjoin(BroadcastResult, col(BroadcastResult.broadcast_id) == col(Broadcast.id))
        .where(col(Broadcast.started_at) > now - COUNTED_FOR)
        .order_by(col(Broadcast.id))
    )
    with reading() as db:
        known = db.execute(statement).all()
    due = [(last, id_ or 0) for id_, started_at, last, took in known if _is_due(started_at, last, took, now)]
    due.sort(key=lambda each: (each[0] is not None, each))
    until, counted = time.monotonic() + AT_ONCE_SECONDS, list[int]()
    for _, broadcast_id in due:
        count_result(broadcast_id, now=now)
        counted.append(broadcast_id)
        if time.monotonic() >= until:
            break
    return counted


def _is_due(started_at: datetime, counted_at: datetime | None, seconds: float | None, now: datetime) -> bool:
    wait = max(FRESH, AGED * (now - started_at), timedelta(seconds=SHARE * (seconds or 0.0)))
    return counted_at is None or counted_at + wait <= now


def count_result(broadcast_id: int, *, now: datetime) -> None:
    """Count the result of one broadcast that has started."""
    began = time.monotonic()
    with reading() as db:
        broadcast = db.get_one(Broadcast, broadcast_id)
        found = BroadcastResult(
            broadcast_id=broadcast_id,
            counted_at=now,
            people=_people(db, broadcast),
            links=_links(db, broadcast),
            hours=_hours(db, broadcast),
        )
    found.seconds = time.monotonic() - began
    with transaction() as db:
        db.merge(found)


def _people(db: Session, broadcast: Broadcast) -> dict[str, int]:
    given = {
        "broadcast_id": broadcast.id,
        "topic_id": broadcast.topic_id,
        "until": last_moment(broadcast.started_at),
    }
    row = db.execute(_counting_people(), given).one()
    return {result.value: int(people) for result, people in zip(Result, row, strict=True)}


@cache
def _counting_people() -> Any:
    """One pass over a broadcast's deliveries; each condition is looked up by an index. Made once: to make it
    takes longer than to run it."""
    span = Span(bindparam("topic_id", type_=BigInteger()), bindparam("until", type_=UtcTime()))
    counts = [func.count().filter(condition_of(result, span)).label(result.value) for result in Result]
    return select(*counts).where(*_SENT)


def _links(db: Session, broadcast: Broadcast) -> dict[str, int]:
    """How many people followed each address, in the order in which they stand in the message."""
    addresses = links_in(render(broadcast.content["kind"], broadcast.content))[:PLACES]
    if not addresses:
        return {}
    bits = col(Delivery.clicked_links)
    statement = select(bits, func.count()).where(*_SENT, bits.is_not(None)).group_by(bits)
    found = dict.fromkeys(addresses, 0)
    for clicked, people in db.execute(statement, {"broadcast_id": broadcast.id}):
        for address in {addresses[place] for place in _places(clicked) if place < len(addresses)}:
            found[address] += people
    return found


def _places(bits: int) -> Iterator[int]:
    return (place for place in range(PLACES) if bits >> place & 1)


def _hours(db: Session, broadcast: Broadcast) -> dict[str, dict[str, int]]:
    """By hour (in UTC, as 2026-11-30T09) how many got it, read it, followed a link, answered."""
    found: dict[str, dict[str, int]] = {}
    if broadcast.started_at is None:
        return found
    given = {"broadcast_id": broadcast.id, "last": broadcast.started_at + timedelta(hours=HOURS)}
    for result in BY_HOUR:
        for hour, people in db.execute(_counting_hours(result), given):
            found.setdefault(str(hour).replace(" ", "T"), {})[result.value] = people
    return dict(sorted(found.items()))


@cache
def _counting_hours(result: Result) -> Select[Any]:
    at = BY_HOUR[result]
    hour = func.substr(cast(at, String), 1, 13)  # both databases write times alike
    last = bindparam("last", type_=UtcTime())
    return select(hour, func.count()).where(*_SENT, at.is_not(None), at < last).group_by(hour)
