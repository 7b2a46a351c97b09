"""Totals that must be the same in both databases of a move, besides the rows of each table."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.broadcasts import audience_builder
from core.broadcasts.rules import BroadcastState
from core.db.tables import Broadcast, Delivery, Event, OptIn, Reply
from core.deliveries.rules import DeliveryState

Totals = dict[str, list[tuple[object, ...]]]


def read_totals(db: Session) -> Totals:
    """Count opt-ins by topic and state, deliveries by broadcast and state, replies and events, and list
    broadcasts whose deliveries do not add up."""
    return {
        "opt_ins": _read(db, _counted(col(OptIn.topic_id), col(OptIn.state))),
        "deliveries": _read(db, _counted(col(Delivery.broadcast_id), col(Delivery.state))),
        "replies": _read(db, _counted(col(Reply.fanpage_id), col(Reply.state))),
        "events": _read(db, _counted(col(Event.page_id), col(Event.state))),
        "out_of_balance": _read(db, _out_of_balance()),
    }


def unfinished_broadcasts(db: Session) -> list[tuple[int, str, int]]:
    """The broadcasts that were sending, as (id, name, deliveries left)."""
    left = (
        select(func.count())
        .where(col(Delivery.broadcast_id) == col(Broadcast.id), col(Delivery.state) == DeliveryState.QUEUED)
        .scalar_subquery()
    )
    found = db.execute(
        select(col(Broadcast.id), col(Broadcast.name), left)
        .where(col(Broadcast.state) == BroadcastState.SENDING)
        .order_by(col(Broadcast.id))
    )
    return [(broadcast_id or 0, name, count or 0) for broadcast_id, name, count in found]


def _counted(*by: object) -> Select[tuple[object, ...]]:
    return select(*by, func.count()).group_by(*by)  # type: ignore[call-overload,no-any-return]


def _out_of_balance() -> Select[tuple[object, ...]]:
    """Broadcasts whose audience is not what their deliveries add up to."""
    made = select(func.count()).where(col(Delivery.broadcast_id) == col(Broadcast.id)).scalar_subquery()
    return select(col(Broadcast.id), audience_builder.so_far(), made).where(
        col(Broadcast.started_at).is_not(None), audience_builder.so_far() != made
    )


def _read(db: Session, statement: Select[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted((tuple(row) for row in db.execute(statement)), key=repr)
