"""Reads about stored events, for the set-up and health pages, the metrics and the readiness check."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from core.db.engine import reading
from core.db.tables import Event, Fanpage
from core.inbox.rules import EventState


@dataclass(frozen=True)
class Backlog:
    """How many events are pending, when the oldest of them came in, and how many could not be applied."""

    pending: int
    oldest_received_at: datetime | None
    failed: int


def get_backlog() -> Backlog:
    """Count what is pending and what has failed."""
    waiting = select(func.count(), func.min(Event.received_at)).where(col(Event.state) == EventState.PENDING)
    failed = select(func.count()).where(col(Event.state) == EventState.FAILED)
    with reading() as db:
        pending, oldest_received_at = db.execute(waiting).one()
        return Backlog(pending, oldest_received_at, db.execute(failed).scalar_one())


def count_pending() -> int:
    """How many events are pending. It is cheap enough for every scrape of the metrics."""
    with reading() as db:
        return db.scalar(select(func.count()).where(col(Event.state) == EventState.PENDING)) or 0


def has_pending() -> bool:
    """Whether any event is pending."""
    waiting = select(col(Event.id)).where(col(Event.state) == EventState.PENDING).limit(1)
    with reading() as db:
        return db.execute(waiting).first() is not None


def refuse_unreadable() -> None:
    """Raise DBAPIError when the events cannot be read: the database is gone, or has no tables yet."""
    has_pending()


def last_webhook_at(page_id: str) -> datetime | None:
    """When the last event of this fanpage came in, or None: the end of an index."""
    with reading() as db:
        return db.scalar(select(func.max(Event.received_at)).where(col(Event.page_id) == page_id))


def are_all_demo(page_ids: Collection[str]) -> bool:
    """Whether each of these page ids belongs to a demo fanpage."""
    statement = select(col(Fanpage.page_id)).where(
        col(Fanpage.page_id).in_(page_ids), col(Fanpage.is_demo).is_(True)
    )
    with reading() as db:
        return set(db.execute(statement).scalars()) == set(page_ids)
