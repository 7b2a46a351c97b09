"""New events into the vault, many at once; those it has stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlmodel import Session

from core.database import is_sqlite
from core.db import bulk
from core.inbox.rules import EventState
from core.inbox.vault import NewEvent
from core.tables import Event

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


def keep_events(db: Session, events: Sequence[NewEvent]) -> int:
    """Returns how many were new; they wait to be applied."""
    lite = is_sqlite(db)
    rows = [_row(event, for_sqlite=lite) for event in events]
    return _insert(for_sqlite=lite).run(db, bulk.bound(rows)).rowcount


def _row(event: NewEvent, *, for_sqlite: bool) -> tuple[object, ...]:
    page_id, kind, key, occurred_at, received_at, body, psid = event
    occurred = bulk.stamp(occurred_at, for_sqlite=for_sqlite)
    received = bulk.stamp(received_at, for_sqlite=for_sqlite)
    return page_id, kind, key, occurred, received, body, psid, EventState.PENDING


@cache
def _insert(*, for_sqlite: bool) -> bulk.Ready:
    return bulk.Ready(bulk.insert_given(Event, _COLUMNS, for_sqlite=for_sqlite).on_conflict_do_nothing())
