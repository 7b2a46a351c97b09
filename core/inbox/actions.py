"""What staff do with webhook events: replay them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import col

from core.accounts.activity_log import record
from core.accounts.authorising import EVERYTHING, authorise
from core.accounts.rules import Actor, Permission
from core.db.engine import transaction
from core.db.tables import Event, Fanpage
from core.inbox.rules import UNKNOWN_FANPAGE, EventState


def replay(by: Actor, *, now: datetime) -> int:
    """Make failed events pending again, and those of fanpages that were connected since. Returns how many."""
    ours = select(col(Fanpage.page_id))
    was_unknown = (col(Event.note) == UNKNOWN_FANPAGE) & col(Event.page_id).in_(ours)
    statement = (
        update(Event)
        .where(
            (col(Event.state) == EventState.FAILED) | ((col(Event.state) == EventState.IGNORED) & was_unknown)
        )
        .values(state=EventState.PENDING, note=None, applied_at=None)
    )
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        count = db.connection().execute(statement).rowcount
        record(db, by, "event.replay", now=now, events=count)
        return count
