"""The table of webhook events: inserts new ones, takes out those that wait, and records what became of them.

An event that is already stored, known by its dedupe key, stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, bindparam, select, text, update
from sqlmodel import Session, col

from core.customers import forgotten
from core.db import bulk
from core.db.engine import is_sqlite
from core.db.tables import Event, UtcTime
from core.inbox.early_events import APPLIER_LOCK
from core.inbox.event_parser import NewEvent
from core.inbox.rules import EventState

EventResult = tuple[EventState, str | None]  # an event's new state, with a note that says why
APPLIED: EventResult = (EventState.APPLIED, None)

_COLUMNS = bulk.columns_of(
    Event,
    "page_id",
    "kind",
    "dedupe_key",
    "occurred_at",
    "received_at",
    "body",
    "psid",
    "state",
    "request_id",
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it stands in the table; its tokens are encrypted."""

    id: int
    page_id: str
    kind: str
    occurred_at: datetime
    received_at: datetime
    event_json: str
    is_replay: bool  # staff replay it, and it was applied before
    http_request_id: str | None  # of the request that brought it


def insert_events(db: Session, events: Sequence[NewEvent]) -> int:
    """Insert events as pending and return how many of them were new."""
    rows = [_row(event) for event in events]
    return _insert().run(db, bulk.bound(rows)).rowcount


def take_pending(db: Session, limit: int) -> list[StoredEvent]:
    """At most `limit` pending events in the order they happened.

    Until the transaction ends nobody else applies events. The list is empty when somebody else is doing so on
    PostgreSQL; SQLite has one writer at a time anyway.
    """
    if not is_sqlite(db):
        lock = text("SELECT pg_try_advisory_xact_lock(:number)")
        if not db.execute(lock, {"number": APPLIER_LOCK}).scalar_one():
            return []
    forgotten.hold_off_forgetting(db)
    found = [_stored(row) for row in _pending().fetch(db, {"limit": limit})]
    return sorted(found, key=lambda event: (event.occurred_at, event.id))


def _stored(row: Sequence[Any]) -> StoredEvent:
    """An event from a row of `_pending`."""
    id_, page_id, kind, occurred_at, received_at, event_json, is_replay, http_request_id = row
    return StoredEvent(
        id_,
        page_id,
        kind,
        bulk.moment(occurred_at),
        bulk.moment(received_at),
        event_json,
        bool(is_replay),
        http_request_id,
    )


def record_results(
    db: Session, events: Sequence[StoredEvent], results: Mapping[int, EventResult], now: datetime
) -> None:
    """Give each event its new state. An event whose id is not in `results` was applied."""
    by_result: dict[EventResult, list[tuple[int]]] = {}
    for event in events:
        by_result.setdefault(results.get(event.id, APPLIED), []).append((event.id,))
    for (state, note), ids in by_result.items():
        values = {"new_state": state, "new_note": note, "at": now, **bulk.bound(ids)}
        db.connection().execute(_set_state(), values)


def _row(event: NewEvent) -> tuple[object, ...]:
    """The values of `_COLUMNS`, in their order."""
    return (
        event.page_id,
        event.kind,
        event.dedupe_key,
        bulk.stamp(event.occurred_at),
        bulk.stamp(event.received_at),
        event.event_json,
        event.psid,
        EventState.PENDING,
        event.http_request_id,
    )


@cache
def _insert() -> bulk.CompiledStatement:
    return bulk.CompiledStatement(bulk.insert_given(Event, _COLUMNS).on_conflict_do_nothing())


@cache
def _pending() -> bulk.CompiledQuery:
    statement = (
        select(
            col(Event.id),
            col(Event.page_id),
            col(Event.kind),
            col(Event.occurred_at),
            col(Event.received_at),
            col(Event.body),
            col(Event.replayed_at).is_not(None).label("is_replay"),
            col(Event.http_request_id),
        )
        .where(col(Event.state) == bulk.constant(EventState.PENDING))
        .order_by(col(Event.occurred_at), col(Event.id))
        .limit(bindparam("limit", type_=Integer))
    )
    return bulk.CompiledQuery(statement)


@cache
def _set_state() -> Any:
    ids = bulk.rows_given(bulk.columns_of(Event, "id"))
    new = {
        "state": bindparam("new_state"),
        "note": bindparam("new_note"),
        "applied_at": bindparam("at", type_=UtcTime),
    }
    return update(Event).where(col(Event.id).in_(ids)).values(new)
