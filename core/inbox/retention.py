"""How long the vault keeps what customers said: long enough to settle a question, no longer.

A tap that is not in the ledger yet is the only copy of its token: it is kept as long as that is good.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlmodel import col

from core.consent.rules import LIFETIME
from core.db.engine import transaction
from core.db.tables import Event
from core.inbox.rules import UNKNOWN_FANPAGE, EventState

# The platform repeats an event for some hours at most; what it means has long been in the other tables.
KEPT_FOR = timedelta(days=30)
FAILED_KEPT_FOR = timedelta(days=90)  # staff may still replay these
ROWS_PER_TRANSACTION = 5000  # rows of one transaction: nobody waits long behind it
MAX_TRANSACTIONS = 20


def delete_old_events(*, now: datetime) -> int:
    """Delete what has been kept long enough, oldest first, a bounded number at a time. Returns how many."""
    forgotten = 0
    for _turn in range(MAX_TRANSACTIONS):
        with transaction() as db:
            count = db.connection().execute(_oldest_due(now)).rowcount
        forgotten += count
        if count < ROWS_PER_TRANSACTION:
            break
    return forgotten


def _oldest_due(now: datetime) -> Any:
    """Ids grow with the time of receipt, so the oldest are found without an index over the times. Those kept
    longer are passed over, or enough of them would hide what comes after."""
    seen = select(col(Event.id), col(Event.received_at), col(Event.state)).where(~_kept_longer(now))
    oldest = seen.order_by(col(Event.id)).limit(ROWS_PER_TRANSACTION).subquery()
    is_due = (oldest.c.state != EventState.PENDING) & (oldest.c.received_at < now - KEPT_FOR)
    statement = delete(Event).where(col(Event.id).in_(select(oldest.c.id).where(is_due)))
    return statement.execution_options(synchronize_session=False)


def _kept_longer(now: datetime) -> ColumnElement[bool]:
    is_failed = col(Event.state) == EventState.FAILED
    is_early = and_(
        col(Event.state) == EventState.IGNORED, col(Event.note).is_not_distinct_from(UNKNOWN_FANPAGE)
    )
    is_token = and_(col(Event.kind) == "opt_in", or_(is_failed, is_early))
    return or_(
        and_(is_failed, col(Event.received_at) >= now - FAILED_KEPT_FOR),
        and_(is_token, col(Event.received_at) >= now - LIFETIME),
    )
