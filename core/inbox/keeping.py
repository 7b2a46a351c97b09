"""New events into the vault, many at once; those it has stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session

from core import bulk
from core.database import is_sqlite
from core.inbox.rules import EventState
from core.inbox.vault import NewEvent
from core.tables import Event

COLUMNS = bulk.columns_of(
    Event,
    "page_id",
    "kind",
    "dedupe_key",
    "occurred_at",
    "received_at",
    "body",
    "psid",
    "state",
    "applied_at",
)


def keep_events(
    db: Session, events: Sequence[NewEvent], state: EventState, applied_at: datetime | None = None
) -> int:
    """Returns how many were new."""
    lite = is_sqlite(db)
    at = bulk.stamp(applied_at, for_sqlite=lite)
    rows = [_row(event, state, at, for_sqlite=lite) for event in events]
    return _insert(for_sqlite=lite).run(db, bulk.bound(rows)).rowcount


def _row(event: NewEvent, state: EventState, at: str | None, *, for_sqlite: bool) -> tuple[object, ...]:
    page_id, kind, key, occurred_at, received_at, body, psid, *_ = event
    occurred = bulk.stamp(occurred_at, for_sqlite=for_sqlite)
    received = bulk.stamp(received_at, for_sqlite=for_sqlite)
    return page_id, kind, key, occurred, received, body, psid, state, at


@cache
def _insert(*, for_sqlite: bool) -> bulk.Ready:
    return bulk.Ready(inserting(for_sqlite=for_sqlite))


def inserting(*, for_sqlite: bool, given: Select[Any] | None = None) -> Any:
    """The statement for the bound rows, or for those given (`COLUMNS`)."""
    return bulk.insert_given(Event, COLUMNS, for_sqlite=for_sqlite, given=given).on_conflict_do_nothing()
