"""New events into the vault, many at once; those it has stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlmodel import Session

from core.db import bulk
from core.db.tables import Event
from core.inbox.event_parser import NewEvent
from core.inbox.rules import EventState

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
)


def insert_events(db: Session, events: Sequence[NewEvent]) -> int:
    """Returns how many were new; they wait to be applied."""
    rows = [_row(event) for event in events]
    return _insert().run(db, bulk.bound(rows)).rowcount


def _row(event: NewEvent) -> tuple[object, ...]:
    page_id, kind, key, occurred_at, received_at, body, psid = event
    times = bulk.stamp(occurred_at), bulk.stamp(received_at)
    return page_id, kind, key, *times, body, psid, EventState.PENDING


@cache
def _insert() -> bulk.CompiledStatement:
    return bulk.CompiledStatement(bulk.insert_given(Event, _COLUMNS).on_conflict_do_nothing())
