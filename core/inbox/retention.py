"""How long the vault keeps what customers said: long enough to settle a question, no longer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import col

from core.database import transaction
from core.inbox.rules import EventState
from core.tables import Event

# The platform repeats an event for some hours at most; what it means has long been in the other tables.
KEPT_FOR = timedelta(days=30)
FAILED_KEPT_FOR = timedelta(days=90)  # staff may still replay these
AT_ONCE = 5000  # rows of one transaction: nobody waits long behind it
MOST_TURNS = 20


def forget_old_events(*, now: datetime) -> int:
    """Delete what has been kept long enough, oldest first, a bounded number at a time. Returns how many."""
    forgotten = 0
    for _turn in range(MOST_TURNS):
        with transaction() as db:
            count = db.connection().execute(_oldest_due(now)).rowcount
        forgotten += count
        if count < AT_ONCE:
            break
    return forgotten


def _oldest_due(now: datetime) -> Any:
    """Ids grow with the time of receipt, so the oldest are found without an index over the times."""
    oldest = select(col(Event.id), col(Event.received_at), col(Event.state)).order_by(col(Event.id))
    seen = oldest.limit(AT_ONCE).subquery()
    settled = seen.c.state.in_([EventState.APPLIED, EventState.IGNORED])
    is_due = (settled & (seen.c.received_at < now - KEPT_FOR)) | (
        (seen.c.state == EventState.FAILED) & (seen.c.received_at < now - FAILED_KEPT_FOR)
    )
    statement = delete(Event).where(col(Event.id).in_(select(seen.c.id).where(is_due)))
    return statement.execution_options(synchronize_session=False)
