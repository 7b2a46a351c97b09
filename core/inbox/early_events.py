"""Events that came before their fanpage was connected. A tap among them holds the only copy of a token, so
they are applied once the fanpage is there."""

from __future__ import annotations

from sqlalchemy import text, update
from sqlmodel import Session, col

from core.db.engine import is_sqlite
from core.db.tables import Event
from core.inbox.rules import UNKNOWN_FANPAGE, EventState

APPLIER_LOCK = 7_411_301  # the advisory lock that lets one process at a time apply events on PostgreSQL


def wait_for_applier(db: Session) -> None:
    """Wait until nobody applies events, and keep it so until the commit. Otherwise a batch that is under way
    could ignore events of the fanpage which this transaction connects."""
    if not is_sqlite(db):
        db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": APPLIER_LOCK})


def requeue_early_events(db: Session, page_id: str) -> int:
    """Make the events of a fanpage pending that were ignored as unknown. Returns how many."""
    statement = (
        update(Event)
        .where(
            col(Event.page_id) == page_id,
            col(Event.state) == EventState.IGNORED,
            col(Event.note) == UNKNOWN_FANPAGE,
        )
        .values(state=EventState.PENDING, note=None, applied_at=None)
    )
    return db.connection().execute(statement).rowcount
