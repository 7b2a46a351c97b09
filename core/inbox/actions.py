"""Webhook events: stored before they are answered, applied in their order, replayed when staff ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Integer, Select, bindparam, select, text, update
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise
from core.accounts.rules import Actor, Permission
from core.customers import forgotten
from core.db import bulk
from core.db.engine import DATABASE_TROUBLE, is_sqlite, transaction
from core.db.tables import Event, Fanpage, UtcTime
from core.errors import Held
from core.inbox import queries
from core.inbox.early_events import APPLIER_LOCK
from core.inbox.effects import FanpageEvent, apply_events
from core.inbox.event_parser import NewEvent, decrypt_event, person_of
from core.inbox.event_store import insert_events
from core.inbox.forgotten_filter import drop_forgotten
from core.inbox.rules import UNKNOWN_FANPAGE, EventState
from core.installation import key_check

NOT_NOW = (*DATABASE_TROUBLE, Held)  # the database is locked, gone or held: true for every event
log = structlog.get_logger(__name__)


def store_events(events: Sequence[NewEvent]) -> int:
    """Keep events for good; they wait for their turn. Those the vault has stay as they are. Returns how many
    were new."""
    if not events:
        return 0
    key_check.refuse_another_key()
    with transaction() as db:
        return insert_events(db, drop_forgotten(db, events))


def apply_pending(limit: int, now: datetime) -> int:
    """Apply at most `limit` waiting events in the order they happened; returns how many left the backlog."""
    return apply_batch(limit, now) if queries.has_pending() else 0


def apply_batch(limit: int, now: datetime) -> int:
    """The same for who knows that events wait.

    Each event's effects and its new state are one transaction. Two appliers never double an event: SQLite
    lets one write at a time, and PostgreSQL lends out a lock; who does not get it has nothing to do.
    """
    key_check.refuse_another_key()
    try:
        with transaction() as db:
            events = _take(db, limit)
            _settle(db, events, _apply(db, events, now), now)
            return len(events)
    except NOT_NOW:
        raise  # nothing is wrong with the events
    except Exception as problem:
        log.warning("event_batch_failed", **_where(problem))
        return _apply_each(limit, now)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the vault keeps it."""

    id: int
    page_id: str
    kind: str
    occurred_at: datetime
    received_at: datetime
    body: str


def _take(db: Session, limit: int) -> list[StoredEvent]:
    if not is_sqlite(db):
        lock = text("SELECT pg_try_advisory_xact_lock(:number)")
        if not db.execute(lock, {"number": APPLIER_LOCK}).scalar_one():
            return []
    forgotten.hold_off_forgetting(db)
    found = [
        StoredEvent(id_, page_id, kind, bulk.moment(occurred_at), bulk.moment(received_at), body)
        for id_, page_id, kind, occurred_at, received_at, body in bulk.fetch(db, _waiting(), {"limit": limit})
    ]
    return sorted(found, key=lambda event: (event.occurred_at, event.id))


@cache
def _waiting() -> Select[Any]:
    statement = (
        select(
            col(Event.id),
            col(Event.page_id),
            col(Event.kind),
            col(Event.occurred_at),
            col(Event.received_at),
            col(Event.body),
        )
        .where(col(Event.state) == EventState.PENDING)
        .order_by(col(Event.occurred_at), col(Event.id))
        .limit(bindparam("limit", type_=Integer))
    )
    return bulk.packed(statement)


Verdict = tuple[EventState, str | None]
APPLIED: Verdict = (EventState.APPLIED, None)


def _apply(db: Session, events: Sequence[StoredEvent], now: datetime) -> dict[int, Verdict]:
    """The effects of events in their order; what has become of those that were not simply applied."""
    statement = select(col(Fanpage.page_id), col(Fanpage.id)).where(
        col(Fanpage.page_id).in_({event.page_id for event in events})
    )
    ours = {row.page_id: row.id for row in db.execute(statement)}
    happenings = [_happening(event, ours[event.page_id]) for event in events if event.page_id in ours]
    notes = apply_events(db, happenings, now)
    notes.update({event.id: UNKNOWN_FANPAGE for event in events if event.page_id not in ours})
    return {event_id: (EventState.IGNORED, note) for event_id, note in notes.items()}


def _happening(event: StoredEvent, fanpage_id: int) -> FanpageEvent:
    raw = decrypt_event(event.body)
    return FanpageEvent(
        id=event.id,
        fanpage_id=fanpage_id,
        kind=event.kind,
        psid=person_of(raw, event.page_id),
        at=event.occurred_at,
        received_at=event.received_at,
        raw=raw,
    )


def _apply_each(limit: int, now: datetime) -> int:
    """One event of the turn cannot be applied: each has its own savepoint, and the bad ones are set aside."""
    with transaction() as db:
        events = _take(db, limit)
        verdicts: dict[int, Verdict] = {}
        for event in events:
            try:
                with db.begin_nested():
                    verdicts.update(_apply(db, [event], now))
            except NOT_NOW:
                raise
            except Exception as problem:
                verdicts[event.id] = (EventState.FAILED, type(problem).__name__)
                log.error("event_failed", event_id=event.id, kind=event.kind, **_where(problem))
        _settle(db, events, verdicts, now)
        return len(events)


def _where(problem: Exception) -> dict[str, object]:
    """What went wrong and where; never the exception's text, which may quote what a customer wrote."""
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""
    return {"error": type(problem).__name__, "place": place}


def _settle(db: Session, events: Sequence[StoredEvent], verdicts: dict[int, Verdict], now: datetime) -> None:
    by_verdict: dict[Verdict, list[tuple[int]]] = {}
    for event in events:
        by_verdict.setdefault(verdicts.get(event.id, APPLIED), []).append((event.id,))
    for (state, note), ids in by_verdict.items():
        values = {"new_state": state, "new_note": note, "at": now, **bulk.bound(ids)}
        db.connection().execute(_mark(), values)


@cache
def _mark() -> Any:
    ids = bulk.rows_given(bulk.columns_of(Event, "id"))
    new = {
        "state": bindparam("new_state"),
        "note": bindparam("new_note"),
        "applied_at": bindparam("at", type_=UtcTime),
    }
    return update(Event).where(col(Event.id).in_(ids)).values(new)


def replay(by: Actor, *, now: datetime) -> int:
    """Failed events, and those of a fanpage connected since, wait to be applied again; returns how many."""
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
        authorise(db, by, Permission.ADMIN, now=now)
        count = db.connection().execute(statement).rowcount
        record(db, by, "event.replay", now=now, events=count)
        return count
