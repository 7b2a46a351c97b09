"""Deletes what has been kept long enough, a few thousand rows in a transaction, so that nobody waits for it.

Webhook events and pictures are deleted by their own rooms: core/inbox/old_events.py,
core/pictures/unused.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Text, cast, delete, select
from sqlmodel import col

from core.conversation.rules import ReplyState
from core.db import bulk
from core.db.engine import transaction
from core.db.tables import (
    Activity,
    Backup,
    CallsOfHour,
    Delivery,
    DeliveryAttempt,
    OperatorSession,
    OptInImport,
    Reply,
    SignInAttempt,
    Table,
)
from core.deliveries.rules import DeliveryState
from core.retention.periods import Record, list_kept
from core.settings import settings

ROWS_PER_TRANSACTION = 2000
MAX_TRANSACTIONS = 50  # of a kind in a call; the rest has time until the next

_UNDER_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
_WAITING = (ReplyState.QUEUED, ReplyState.SENDING)

log = structlog.get_logger(__name__)


def delete_old_rows(*, now: datetime) -> dict[Record, int]:
    """Delete what has been kept long enough. Returns how many rows of each kind were."""
    before = {kept.record: now - kept.period for kept in list_kept(settings())}
    done: dict[Record, int] = {}
    for record, statement in _statements(before):
        done[record] = _run_in_parts(statement)
    if any(done.values()):
        log.info("old_rows_deleted", **{record.value: count for record, count in done.items() if count})
    return done


def _run_in_parts(statement: Any) -> int:
    total = 0
    for _ in range(MAX_TRANSACTIONS):
        with transaction() as db:
            count: int = db.connection().execute(statement).rowcount
        total += count
        if count < ROWS_PER_TRANSACTION:
            break
    return total


def _statements(before: dict[Record, datetime]) -> Iterator[tuple[Record, Any]]:
    """Each deletes, or empties, the oldest rows that are due."""
    has_ended = col(Reply.state).not_in(_WAITING)
    asks = col(Reply.request_id).is_not(None)
    yield Record.REPLY, _delete_oldest(Reply, "created_at", before[Record.REPLY], has_ended, ~asks)
    yield Record.REQUEST, _delete_oldest(Reply, "created_at", before[Record.REQUEST], has_ended, asks)
    ended = select(col(Delivery.id)).where(
        col(Delivery.id) == col(DeliveryAttempt.delivery_id), col(Delivery.state).not_in(_UNDER_WAY)
    )
    yield (
        Record.ATTEMPT,
        _delete_oldest(DeliveryAttempt, "started_at", before[Record.ATTEMPT], ended.exists()),
    )
    yield Record.IMPORT_REASON, _empty_reasons(before[Record.IMPORT_REASON])
    yield Record.SIGN_IN_ATTEMPT, _delete_oldest(SignInAttempt, "at", before[Record.SIGN_IN_ATTEMPT])
    yield Record.SESSION, _delete_oldest(OperatorSession, "signed_in_at", before[Record.SESSION])
    yield Record.CALL_COUNT, delete(CallsOfHour).where(col(CallsOfHour.hour) < before[Record.CALL_COUNT])
    yield Record.BACKUP_NOTE, _delete_oldest(Backup, "made_at", before[Record.BACKUP_NOTE])
    # Last, since the database refuses to delete what is young by its own clock (migration 0044).
    yield Record.ACTIVITY, _delete_oldest(Activity, "at", before[Record.ACTIVITY])


def _delete_oldest(table: type[Table], time: str, before: datetime, *may_go: ColumnElement[bool]) -> Any:
    """Ids grow with time, so the oldest rows are found without an index over their times. Those that have to
    stay are skipped, or they would hide what comes after them."""
    columns: Any = table.__table__.c  # type: ignore[attr-defined]
    oldest = select(columns.id, columns[time]).where(*may_go).order_by(columns.id)
    found = oldest.limit(ROWS_PER_TRANSACTION).subquery()
    due = select(found.c.id).where(found.c[time] < before)
    return bulk.remove(table, columns.id.in_(due))


def _empty_reasons(before: datetime) -> Any:
    """The reasons name people by their PSIDs; how many rows were left out stays."""
    names_any = cast(col(OptInImport.rejected), Text) != "[]"
    return bulk.change(OptInImport, col(OptInImport.ended_at) < before, names_any).values(rejected=[])
