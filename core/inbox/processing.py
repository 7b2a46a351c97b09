"""Stores webhook events and applies them in their order. What staff do with events is in actions.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from core.db.engine import DATABASE_TROUBLE, transaction
from core.db.tables import Fanpage
from core.errors import Held
from core.inbox import queries
from core.inbox.effects import apply_events
from core.inbox.event_parser import NewEvent
from core.inbox.event_store import EventResult, StoredEvent, insert_events, record_results, take_pending
from core.inbox.event_tokens import decrypt_event
from core.inbox.fanpage_event import FanpageEvent
from core.inbox.forgotten_filter import drop_forgotten
from core.inbox.rules import UNKNOWN_FANPAGE, EventState
from core.installation import key_check
from core.messenger.event_fields import person_of

# The database is locked, gone or held. That is true for every event, so no single event is to blame.
NOT_NOW = (*DATABASE_TROUBLE, Held)
log = structlog.get_logger(__name__)


def store_events(events: Sequence[NewEvent]) -> int:
    """Store events in one transaction and return how many were new. They wait to be applied.

    Events of forgotten customers are left out. Raises AnotherKey when this process has another secret key
    than the installation, and any of `NOT_NOW` when the database takes in nothing.
    """
    if not events:
        return 0
    key_check.refuse_another_key()
    with transaction() as db:
        return insert_events(db, drop_forgotten(db, events))


def apply_pending(limit: int, now: datetime) -> int:
    """Apply at most `limit` pending events and return how many left the backlog."""
    return apply_batch(limit, now) if queries.has_pending() else 0


def apply_batch(limit: int, now: datetime) -> int:
    """Apply at most `limit` pending events, where the caller knows that some are. Returns how many left the
    backlog.

    The effects of the events and their new states are one transaction. Two processes never apply an event
    twice: SQLite lets one write at a time, and on PostgreSQL whoever does not get the lock does nothing.
    """
    key_check.refuse_another_key()
    try:
        with transaction() as db:
            events = take_pending(db, limit)
            record_results(db, events, _apply(db, events, now), now)
            return len(events)
    except NOT_NOW:
        raise
    except Exception as problem:
        log.warning("event_batch_failed", **_error_place(problem))
        return _apply_one_by_one(limit, now)


def _apply(db: Session, events: Sequence[StoredEvent], now: datetime) -> dict[int, EventResult]:
    """Apply events in their order. Returns the results of those that had no effect, by event id."""
    statement = select(col(Fanpage.page_id), col(Fanpage.id)).where(
        col(Fanpage.page_id).in_({event.page_id for event in events})
    )
    ours = {row.page_id: row.id for row in db.execute(statement)}
    known = [_fanpage_event(event, ours[event.page_id]) for event in events if event.page_id in ours]
    notes = apply_events(db, known, now)
    notes.update({event.id: UNKNOWN_FANPAGE for event in events if event.page_id not in ours})
    return {event_id: (EventState.IGNORED, note) for event_id, note in notes.items()}


def _fanpage_event(event: StoredEvent, fanpage_id: int) -> FanpageEvent:
    raw = decrypt_event(event.event_json)
    return FanpageEvent(
        id=event.id,
        fanpage_id=fanpage_id,
        kind=event.kind,
        psid=person_of(raw, event.page_id),
        at=event.occurred_at,
        received_at=event.received_at,
        raw=raw,
        is_replay=event.is_replay,
    )


def _apply_one_by_one(limit: int, now: datetime) -> int:
    """Apply events with a savepoint for each, so that one that cannot be applied is set aside alone."""
    with transaction() as db:
        events = take_pending(db, limit)
        results: dict[int, EventResult] = {}
        for event in events:
            try:
                with db.begin_nested():
                    results.update(_apply(db, [event], now))
            except NOT_NOW:
                raise
            except Exception as problem:
                results[event.id] = (EventState.FAILED, type(problem).__name__)
                log.error("event_failed", **_names(event), kind=event.kind, **_error_place(problem))
        record_results(db, events, results, now)
        return len(events)


def _names(event: StoredEvent) -> dict[str, object]:
    """The ids by which an event is found: its own, and that of the request that brought it, if known."""
    brought_by = {} if event.http_request_id is None else {"request_id": event.http_request_id}
    return {"event_id": event.id, **brought_by}


def _error_place(problem: Exception) -> dict[str, object]:
    """The type of an error and where it was raised. Never its text, which may quote what a customer wrote."""
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""
    return {"error": type(problem).__name__, "place": place}
