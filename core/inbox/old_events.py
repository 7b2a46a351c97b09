"""Deletes events that have been kept long enough.

A tap that is not in the ledger yet is the only copy of its token, so it is kept as long as the token is
valid. So is a message or a press of a button: it may be the no that came after such a tap.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import col

from core.consent.rules import LIFETIME
from core.db import bulk
from core.db.engine import transaction
from core.db.tables import Event
from core.inbox.rules import UNKNOWN_FANPAGE, EventState
from core.messenger.event_kinds import EventKind, kinds_like
from core.settings import settings

FAILED_KEPT_FOR = timedelta(days=90)  # staff may still replay these
# What a customer says yes or no by.
_ANSWERS = (EventKind.OPT_IN, *kinds_like(EventKind.MESSAGE), *kinds_like(EventKind.POSTBACK))
ROWS_PER_TRANSACTION = 5000  # few enough that nobody waits long for the transaction
MAX_TRANSACTIONS = 20


def delete_old_events(*, now: datetime) -> int:
    """Delete events that have been kept long enough, oldest first, at most 100,000 in a call. Returns how
    many."""
    # The platform repeats an event for some hours at most, and what it means has long been applied.
    before = now - timedelta(days=settings().keep_events_days)
    deleted = 0
    for _ in range(MAX_TRANSACTIONS):
        with transaction() as db:
            count = db.connection().execute(_oldest_due(before, now)).rowcount
        deleted += count
        if count < ROWS_PER_TRANSACTION:
            break
    return deleted


def _oldest_due(before: datetime, now: datetime) -> Any:
    """Delete the oldest events that are due. Ids grow with the time of receipt, so no index over the times is
    needed. Events that are kept longer are skipped, or enough of them would hide those after them."""
    seen = select(col(Event.id), col(Event.received_at), col(Event.state)).where(~_kept_longer(now))
    oldest = seen.order_by(col(Event.id)).limit(ROWS_PER_TRANSACTION).subquery()
    is_due = (oldest.c.state != EventState.PENDING) & (oldest.c.received_at < before)
    return bulk.remove(Event, col(Event.id).in_(select(oldest.c.id).where(is_due)))


def _kept_longer(now: datetime) -> ColumnElement[bool]:
    is_failed = col(Event.state) == EventState.FAILED
    is_early = and_(
        col(Event.state) == EventState.IGNORED, col(Event.note).is_not_distinct_from(UNKNOWN_FANPAGE)
    )
    is_answer = and_(col(Event.kind).in_(_ANSWERS), or_(is_failed, is_early))
    return or_(
        and_(is_failed, col(Event.received_at) >= now - FAILED_KEPT_FOR),
        and_(is_answer, col(Event.received_at) >= now - LIFETIME),
    )
