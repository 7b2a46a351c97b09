"""Events that came before their fanpage was connected; a tap among them holds a token nobody else has."""

from __future__ import annotations

from sqlalchemy import text, update
from sqlmodel import Session, col

from core.db.engine import is_sqlite
from core.db.tables import Event
from core.inbox.rules import UNKNOWN_FANPAGE, EventState

APPLIER_LOCK = 7_411_301  # nobody else's number: one applier at a time on PostgreSQL


def wait_for_applier(db: Session) -> None:
    """Until the commit no turn is under way: none that does not see what this transaction connects."""
    if not is_sqlite(db):
        db.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": APPLIER_LOCK})


def apply_early_events(db: Session, page_id: str) -> int:
    """They wait for their turn now; returns how many."""
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
