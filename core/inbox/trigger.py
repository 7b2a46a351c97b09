"""SQLite: all that taps do, as one statement, by a trigger of the writer's own connection.

A statement gives up the interpreter's lock, and beside a busy loop it takes longer to win it back than the
statement itself took: docs/decisions/0024. The trigger holds the same statements that PostgreSQL runs one
after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Select, select, true
from sqlmodel import Session

from core import bulk
from core.consent import taps as ledger
from core.consent.rules import expires_at
from core.consent.taps import Tap
from core.inbox import customers, shelf
from core.inbox.rules import EventState
from core.inbox.taps import TAPPED, marking
from core.inbox.vault import NewEvent

_VIEW = "tap_given"
_GIVEN = (*shelf.COLUMNS, "fanpage_id", "payload", "topic_id", "token_hash", "token_sealed", "expires_at")
_INSERT = (
    f"INSERT INTO {_VIEW} SELECT {', '.join(f'value ->> {n}' for n in range(len(_GIVEN)))} FROM json_each(?)"
)
_LAST = "SELECT max(id) FROM event"  # nobody else writes meanwhile, and a new one is always the last


def keep_by_trigger(db: Session, events: Sequence[NewEvent], taps: Sequence[Tap], now: datetime) -> int:
    """Events, and the same as taps, in their order: kept, who taps is seen, the ledger has the opt-in, the
    request is marked. Repeating it changes nothing. Returns how many events were new."""
    at = bulk.stamp(now, for_sqlite=True)
    rows = [_row(event, tap, at) for event, tap in zip(events, taps, strict=True)]
    run = db.connection().exec_driver_sql
    for words in _made_ready():
        run(words)  # does nothing where it has been done
    before = run(_LAST).scalar() or 0
    run(_INSERT, (bulk.bound(rows)[bulk.ROWS],))
    return int(run(_LAST).scalar() or 0) - before


def _row(event: NewEvent, tap: Tap, at: str | None) -> tuple[object, ...]:
    ends = bulk.stamp(expires_at(event.occurred_at), for_sqlite=True)
    kept = shelf.values(event, for_sqlite=True)
    return *kept, EventState.APPLIED, at, tap[0], *tap[2:6], ends


@cache
def _made_ready() -> tuple[str, str]:
    columns = ", ".join(f"NULL AS {name}" for name in _GIVEN)
    seen = bulk.new_row(
        customers.WRITTEN,
        search_text="NEW.psid",
        window_closes_at="NULL",
        last_event_at="NEW.occurred_at",
        created_at="NEW.applied_at",
    )
    tap = bulk.new_row(ledger.COLUMNS, consented_at="NEW.occurred_at", created_at="NEW.applied_at")
    steps = (
        shelf.inserting(for_sqlite=True, given=_selected(bulk.new_row(shelf.COLUMNS))),
        customers.upserting(for_sqlite=True, given=_selected(seen)),
        ledger.inserting(tap, for_sqlite=True),
        marking(bulk.new_row(TAPPED, tapped_at="NEW.occurred_at")),
    )
    body = "; ".join(bulk.written_out(step) for step in steps)
    return (
        f"CREATE TEMP VIEW IF NOT EXISTS {_VIEW} AS SELECT {columns}",
        f"CREATE TEMP TRIGGER IF NOT EXISTS {_VIEW}_insert INSTEAD OF INSERT ON {_VIEW} BEGIN {body}; END",
    )


def _selected(row: SimpleNamespace) -> Select[Any]:
    return select(*vars(row).values()).where(true())
