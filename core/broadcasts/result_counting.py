"""Counts what broadcasts have achieved; the worker does it now and then, so that every page reads one row.

The older a broadcast, and the longer its counting takes, the more rarely it is counted. Two months after its
start its result stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlmodel import Session, col

from core.broadcasts.results import Result, condition_of, span_of
from core.clicks.rules import PLACES, links_in
from core.conversation.rules import render
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, BroadcastResult, Delivery
from core.deliveries.rules import DeliveryState

FRESH = timedelta(seconds=8)
AGED = 0.01  # a broadcast of a hundred minutes is counted every minute
COUNTED_FOR = timedelta(days=60)
SHARE = 100  # a counting that takes a second is done every hundred seconds at most
AT_ONCE_SECONDS = 0.04  # beside hundreds of broadcasts the rest is for the next time: sending goes first
HOURS = 7 * 24  # of its time that are told apart
BY_HOUR = (
    (Result.SENT, col(Delivery.claimed_at)),
    (Result.READ, col(Delivery.read_at)),
    (Result.CLICKED, col(Delivery.clicked_at)),
    (Result.REPLIED, col(Delivery.replied_at)),
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
    """One pass over its deliveries; each condition is looked up by an index."""
    span = span_of(broadcast.topic_id, broadcast.started_at)
    counts = [func.count().filter(condition_of(result, span)).label(result.value) for result in Result]
    row = db.execute(select(*counts).where(*_sent(broadcast))).one()
    return {result.value: int(people) for result, people in zip(Result, row, strict=True)}


def _links(db: Session, broadcast: Broadcast) -> dict[str, int]:
    """How many people followed each address, in the order in which they stand in the message."""
    addresses = links_in(render(broadcast.content["kind"], broadcast.content))[:PLACES]
    if not addresses:
        return {}
    bits = col(Delivery.clicked_links)
    statement = select(bits, func.count()).where(*_sent(broadcast), bits.is_not(None)).group_by(bits)
    found = dict.fromkeys(addresses, 0)
    for clicked, people in db.execute(statement):
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
    last = broadcast.started_at + timedelta(hours=HOURS)
    for result, at in BY_HOUR:
        hour = func.substr(cast(at, String), 1, 13)  # both databases write times alike
        statement: Any = select(hour, func.count()).where(*_sent(broadcast), at.is_not(None), at < last)
        for named, people in db.execute(statement.group_by(hour)):
            found.setdefault(str(named).replace(" ", "T"), {})[result.value] = people
    return dict(sorted(found.items()))


def _sent(broadcast: Broadcast) -> tuple[Any, ...]:
    return col(Delivery.broadcast_id) == broadcast.id, col(Delivery.state) == DeliveryState.SENT
