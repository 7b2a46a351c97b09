"""Broadcasts that have ended by themselves, for those who launched them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlmodel import Session, col

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts.rules import BroadcastState
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Delivery, UtcTime
from core.deliveries.rules import DeliveryState

AT_ONCE = 3
NEWS_FOR = timedelta(days=1)  # news of an end is of no use later


@dataclass(frozen=True)
class End:
    """How a broadcast has ended."""

    id: int
    fanpage_id: int
    name: str
    state: str
    audience: int
    sent: int
    launched_by: str
    ended_at: datetime


def ends_for(name: str, fanpage_ids: Collection[int] | None = None) -> list[End]:
    """The ends, on these fanpages (None: on all), of which the operator of that name has not closed the
    notice."""
    mine = col(Broadcast.launched_by) == name, col(Broadcast.seen_at).is_(None)
    theirs = [] if fanpage_ids is None else [col(Broadcast.fanpage_id).in_(fanpage_ids)]
    with reading() as db:
        return _ends(db, *mine, *theirs)


def close_notice(actor: Actor, broadcast_id: int, *, now: datetime) -> None:
    """Close the notice of an end, which only whoever launched the broadcast has. Closing it twice changes
    nothing."""
    mine = col(Broadcast.id) == broadcast_id, col(Broadcast.launched_by) == actor.name
    with transaction() as db:
        authorise(db, actor, Permission.VIEW, of(Broadcast, broadcast_id), now=now)
        db.execute(update(Broadcast).where(*mine, _has_ended()).values(seen_at=now))


def list_untold(*, now: datetime) -> list[End]:
    """The ends of the last day that nobody outside the panel was told of."""
    ended_at = func.coalesce(col(Broadcast.finished_at), col(Broadcast.updated_at))
    with reading() as db:
        return _ends(db, col(Broadcast.told_at).is_(None), ended_at > now - NEWS_FOR, limit=None)


def mark_told(ids: Collection[int], *, now: datetime) -> None:
    """From now on these ends count as told."""
    with transaction() as db:
        db.execute(update(Broadcast).where(col(Broadcast.id).in_(ids)).values(told_at=now))


def _has_ended() -> ColumnElement[bool]:
    """By itself, by its best-before, or by somebody's hand after the launch."""
    cancelled = and_(col(Broadcast.state) == BroadcastState.CANCELLED, col(Broadcast.launched_by) != "")
    return or_(col(Broadcast.state).in_([BroadcastState.FINISHED, BroadcastState.MISSED]), cancelled)


def _ends(db: Session, *chosen: ColumnElement[bool], limit: int | None = AT_ONCE) -> list[End]:
    sent = (
        select(func.count())
        .where(col(Delivery.broadcast_id) == col(Broadcast.id), col(Delivery.state) == DeliveryState.SENT)
        .scalar_subquery()
    )
    ended_at = func.coalesce(col(Broadcast.finished_at), col(Broadcast.updated_at), type_=UtcTime)
    statement = (
        select(
            col(Broadcast.id),
            col(Broadcast.fanpage_id),
            col(Broadcast.name),
            col(Broadcast.state),
            col(Broadcast.audience),
            sent,
            col(Broadcast.launched_by),
            ended_at,
        )
        .where(*chosen, _has_ended())
        .order_by(col(Broadcast.id).desc())
        .limit(limit)
    )
    return [End(*row) for row in db.execute(statement)]
