"""Reads about webhook events for the page and the command that list them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.db.engine import reading
from core.db.tables import Customer, Event, Fanpage, OptIn
from core.encryption import CannotDecrypt
from core.errors import N_, NotFound
from core.inbox.event_filters import EventFilter, matching
from core.inbox.event_tokens import decrypt_event, mask_tokens
from core.inbox.rules import EventState
from core.installation.token_hash import token_hash
from core.messenger.event_contents import read_opt_in
from core.messenger.event_kinds import EventKind
from core.messenger.redaction import without_secrets

COUNT_LIMIT = 10_000  # so many are counted and can be leafed through; older ones are found by a filter
BODY_LIMIT = 20_000  # characters of a body that are shown


@dataclass(frozen=True)
class EventView:
    """A stored event and what became of it."""

    id: int
    page_id: str
    fanpage_id: int | None  # None when it is none of ours
    fanpage: str  # its name; "" then
    kind: str
    occurred_at: datetime
    received_at: datetime
    psid: str | None
    customer_id: int | None
    customer: str  # "" while the name is not known
    state: EventState
    note: str | None
    applied_at: datetime | None
    replayed_at: datetime | None
    request_id: str | None  # of the request that brought it, as the log and the proxy name it


@dataclass(frozen=True)
class OptInOfEvent:
    """The opt-in that a tap has led to."""

    id: int
    state: str


def list_events(asked: EventFilter, *, offset: int = 0, limit: int = 50) -> list[EventView]:
    """The events of a filter, the latest received first."""
    # Few events are in a state that has an index of its own, which leads through them by their ids.
    is_rare = asked.state not in (None, EventState.APPLIED)
    newest = [col(Event.id).desc()] if is_rare else [col(Event.received_at).desc(), col(Event.id).desc()]
    statement = _views().where(*matching(asked)).order_by(*newest).offset(offset).limit(limit)
    with reading() as db:
        return [_view(row) for row in db.execute(statement)]


def count_events(asked: EventFilter, *, at_most: int = COUNT_LIMIT) -> int:
    """How many events a filter has; no more than `at_most` are counted."""
    found = select(col(Event.id)).where(*matching(asked)).limit(at_most).subquery()
    with reading() as db:
        return db.scalar(select(func.count()).select_from(found)) or 0


def get_event(event_id: int) -> EventView:
    """One event. Raises NotFound."""
    with reading() as db:
        row = db.execute(_views().where(col(Event.id) == event_id)).one_or_none()
    if row is None:
        raise NotFound(N_("There is no event {id}; old events are deleted."), id=event_id)
    return _view(row)


def masked_body(event_id: int) -> str:
    """The stored body of an event as indented JSON, without any token or secret; "" when it is gone."""
    with reading() as db:
        body = db.scalar(select(col(Event.body)).where(col(Event.id) == event_id))
    if body is None:
        return ""
    shown = json.dumps(mask_tokens(json.loads(body)), ensure_ascii=False, indent=2)
    if len(shown) > BODY_LIMIT:
        shown = f"{shown[:BODY_LIMIT]}…"
    return "\n".join(map(_without_secrets, shown.split("\n")))


def _without_secrets(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + without_secrets(line, limit=BODY_LIMIT)


def find_opt_in(event_id: int) -> OptInOfEvent | None:
    """The opt-in of a tap; None for other events, and where the ledger does not have it."""
    with reading() as db:
        row = db.get(Event, event_id)
        hash_ = _token_hash(row) if row else None
        return _opt_in(db, row.page_id, hash_) if row and hash_ else None


def _token_hash(row: Event) -> str | None:
    if row.kind != EventKind.OPT_IN:
        return None
    try:
        tapped = read_opt_in(decrypt_event(row.body))
    except CannotDecrypt:
        return None
    return token_hash(tapped.token) if tapped else None


def _opt_in(db: Session, page_id: str, hash_: str) -> OptInOfEvent | None:
    found = db.execute(
        select(col(OptIn.id), col(OptIn.state))
        .join(Fanpage, col(Fanpage.id) == col(OptIn.fanpage_id))
        .where(col(Fanpage.page_id) == page_id, col(OptIn.token_hash) == hash_)
    ).first()
    return OptInOfEvent(found[0] or 0, found[1]) if found else None


def _views() -> Select[Any]:
    theirs = (col(Customer.fanpage_id) == col(Fanpage.id)) & (col(Customer.psid) == col(Event.psid))
    columns: list[Any] = [
        Event.id,
        Event.page_id,
        col(Fanpage.id).label("fanpage_id"),
        func.coalesce(Fanpage.name, "").label("fanpage"),
        Event.kind,
        Event.occurred_at,
        Event.received_at,
        Event.psid,
        col(Customer.id).label("customer_id"),
        Customer.last_name,
        Customer.first_name,
        Event.state,
        Event.note,
        Event.applied_at,
        Event.replayed_at,
        col(Event.http_request_id).label("request_id"),
    ]
    return (
        select(*columns)
        .join_from(Event, Fanpage, col(Fanpage.page_id) == col(Event.page_id), isouter=True)
        .outerjoin(Customer, theirs)
    )


def _view(row: Any) -> EventView:
    found = dict(row._mapping)
    name = " ".join(filter(None, (found.pop("last_name"), found.pop("first_name"))))
    return EventView(**{**found, "customer": name, "state": EventState(found["state"])})
