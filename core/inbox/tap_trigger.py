"""SQLite: all that taps do, as one statement, by a trigger of the writer's own connection.

A statement gives up the interpreter's lock, and beside a busy loop it takes longer to win it back than the
statement itself took: docs/decisions/0024. The trigger holds the same statements that PostgreSQL runs one
after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Select, event, select, true
from sqlmodel import Session

from core import bulk
from core.consent import taps as ledger
from core.consent.rules import expires_at
from core.inbox import customers, keeping
from core.inbox.rules import EventState
from core.inbox.taps import TAPPED, Topics, marking
from core.inbox.vault import NewEvent

_VIEW = "tap_given"
_GIVEN = (*keeping.COLUMNS, "fanpage_id", "payload", "topic_id", "token_hash", "token_sealed", "expires_at")
_INSERT = (
    f"INSERT INTO {_VIEW} SELECT {', '.join(f'value ->> {n}' for n in range(len(_GIVEN)))} FROM json_each(?)"
)
_LAST = "SELECT max(id) FROM event"  # nobody else writes meanwhile, and a new one is always the last


def keep_by_trigger(
    db: Session, taps: Iterable[tuple[int, NewEvent]], topics: Topics, last_id: int, now: datetime
) -> int:
    """Taps by fanpage, in their order: kept, who taps is seen, the ledger has the opt-in, the request is
    marked. Repeating it changes nothing. `last_id` is that of the last event until now. Returns how many
    were new."""
    at = bulk.stamp(now, for_sqlite=True)
    rows = [_row(fanpage_id, tap, topics.of(fanpage_id, tap.payload), at) for fanpage_id, tap in taps]
    connection = db.connection()
    if _VIEW not in connection.info:
        _make_ready(db, connection)
    connection.exec_driver_sql(_INSERT, (bulk.bound(rows)[bulk.ROWS],))
    return int(connection.exec_driver_sql(_LAST).scalar() or 0) - last_id


def _make_ready(db: Session, connection: Connection) -> None:
    """Gone again if the transaction fails, so it is known as made only after that."""
    for words in _trigger():
        connection.exec_driver_sql(words)
    known = connection.info
    event.listen(db, "after_commit", lambda _session: known.setdefault(_VIEW, True), once=True)


def _row(fanpage_id: int, tap: NewEvent, topic_id: int | None, at: str | None) -> tuple[object, ...]:
    page_id, kind, key, occurred_at, received_at, body, psid, payload, hash_, sealed = tap
    occurred, received = bulk.stamp(occurred_at, for_sqlite=True), bulk.stamp(received_at, for_sqlite=True)
    kept = page_id, kind, key, occurred, received, body, psid, EventState.APPLIED, at
    ends = bulk.stamp(expires_at(occurred_at), for_sqlite=True)
    return *kept, fanpage_id, payload, topic_id, hash_, sealed, ends


@cache
def _trigger() -> tuple[str, str]:
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
        keeping.inserting(for_sqlite=True, given=_selected(bulk.new_row(keeping.COLUMNS))),
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
