"""Broadcasts as lines of a list. Their deliveries are counted from the index alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core.broadcasts import audience_builder
from core.broadcasts.rules import FAILED_MUCH, BroadcastState
from core.db.engine import reading
from core.db.tables import Broadcast, Delivery, Topic
from core.deliveries import failure_rules
from core.deliveries.rules import ENDED, DeliveryState
from core.text.matching import search_key
from core.text.normalise import is_blank

ORDERS: dict[str, Any] = {
    "new": col(Broadcast.id),
    "name": func.lower(col(Broadcast.name)),
    # A fanpage has some hundreds of broadcasts: they are sorted without an index.
    "when": func.coalesce(
        col(Broadcast.finished_at),
        col(Broadcast.started_at),
        col(Broadcast.due_at),
        col(Broadcast.created_at),
    ),
}


@dataclass(frozen=True)
class BroadcastLine:
    id: int
    name: str
    topic: str
    state: str
    pause_code: str | None
    due_at: datetime | None
    audience: int
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None
    counts: dict[str, int] = field(default_factory=dict)  # delivery state: deliveries

    @property
    def sent(self) -> int:
        return self.counts.get(DeliveryState.SENT, 0)

    @property
    def failed(self) -> int:
        return self.counts.get(DeliveryState.FAILED, 0)

    @property
    def attempts(self) -> int:
        """How many were tried to the end; see failure_rules."""
        return failure_rules.attempted(self.counts)

    @property
    def looks(self) -> str:
        """The state as its badge shows it."""
        is_bad = failure_rules.is_bad(self.failed, self.attempts)
        return FAILED_MUCH if self.state == BroadcastState.FINISHED and is_bad else self.state

    @property
    def ended(self) -> int:
        return sum(self.counts.get(state, 0) for state in ENDED)


def list_lines(
    fanpage_id: int,
    *,
    states: Sequence[str] = (),
    search: str = "",
    offset: int = 0,
    limit: int = 50,
    order: str = "-new",
) -> list[BroadcastLine]:
    """Newest first, or by a key of ORDERS ("name", or "-name" from the end); the search looks into names and
    topics, with or without marks."""
    with reading() as db:
        statement = select(Broadcast, col(Topic.name), audience_builder.so_far())
        statement = statement.join(Topic, col(Topic.id) == col(Broadcast.topic_id))
        if not is_blank(search):
            ids = _matching(db, fanpage_id, states, search, order)[offset : offset + limit]
            statement = statement.where(col(Broadcast.id).in_(ids))
        else:
            statement = statement.where(*_filters(fanpage_id, states)).offset(offset).limit(limit)
        rows = db.execute(statement.order_by(*_ordered(order))).all()
        counts = _counts(db, [row.id or 0 for row, *_ in rows if row.started_at])
    return [_line(row, topic, so_far, counts.get(row.id or 0, {})) for row, topic, so_far in rows]


def count_lines(fanpage_id: int, *, states: Sequence[str] = (), search: str = "") -> int:
    with reading() as db:
        if not is_blank(search):
            return len(_matching(db, fanpage_id, states, search, "-new"))
        statement = select(func.count()).select_from(Broadcast).where(*_filters(fanpage_id, states))
        return int(db.execute(statement).scalar_one())


def count_by_state(fanpage_id: int) -> dict[str, int]:
    """How many broadcasts are in each state that occurs."""
    statement = select(col(Broadcast.state), func.count()).where(col(Broadcast.fanpage_id) == fanpage_id)
    with reading() as db:
        return dict(db.execute(statement.group_by(col(Broadcast.state))).all())


def _filters(fanpage_id: int, states: Sequence[str]) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = [col(Broadcast.fanpage_id) == fanpage_id]
    if states:
        made.append(col(Broadcast.state).in_(list(states)))
    return made


def _ordered(order: str) -> list[Any]:
    keys = [ORDERS[order.removeprefix("-")], col(Broadcast.id)]
    return [key.desc() for key in keys] if order.startswith("-") else keys


def _matching(db: Session, fanpage_id: int, states: Sequence[str], search: str, order: str) -> list[int]:
    """Ids in this order. Broadcasts are few; comparing them here finds "khuyen mai" on any database."""
    statement = (
        select(col(Broadcast.id), col(Broadcast.name), col(Topic.name))
        .join(Topic, col(Topic.id) == col(Broadcast.topic_id))
        .where(*_filters(fanpage_id, states))
        .order_by(*_ordered(order))
    )
    wanted = search_key(search)
    return [
        key or 0 for key, *names in db.execute(statement) if any(wanted in search_key(name) for name in names)
    ]


def _counts(db: Session, broadcast_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    statement = (
        select(col(Delivery.broadcast_id), col(Delivery.state), func.count())
        .where(col(Delivery.broadcast_id).in_(broadcast_ids))
        .group_by(col(Delivery.broadcast_id), col(Delivery.state))
    )
    counts: dict[int, dict[str, int]] = {}
    for broadcast_id, state, deliveries in db.execute(statement):
        counts.setdefault(broadcast_id, {})[state] = deliveries
    return counts


def _line(row: Broadcast, topic: str, so_far: int, counts: dict[str, int]) -> BroadcastLine:
    return BroadcastLine(
        id=row.id or 0,
        name=row.name,
        topic=topic,
        state=row.state,
        pause_code=row.pause_code,
        due_at=row.due_at,
        audience=so_far,
        created_at=row.created_at,
        created_by=row.created_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=counts,
    )
