"""Keeps events of forgotten customers out of the store: such an event is answered, but not stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.customers.forgotten import find_forgotten
from core.db.tables import Customer, Fanpage
from core.inbox import rules
from core.inbox.event_parser import NewEvent
from core.messenger.event_fields import milliseconds


def drop_forgotten(db: Session, events: Sequence[NewEvent]) -> Sequence[NewEvent]:
    """The events that may be stored. A forgotten person becomes a new customer by what they do themselves
    after they were forgotten; whatever is older, or is not their own act, is dropped."""
    when = find_forgotten(db, ((event.page_id, event.psid) for event in events if event.psid))
    if not when:
        return events
    return [e for e in events if (at := when.get((e.page_id, e.psid or ""))) is None or _is_new(db, e, at)]


def _is_new(db: Session, event: NewEvent, forgotten_at: datetime) -> bool:
    raw = json.loads(event.event_json)
    said_ms = milliseconds(raw.get("timestamp"))  # the event's own time; without one it may be of any time
    if said_ms is None or said_ms <= forgotten_at.timestamp() * 1000:
        return False
    sender = raw.get("sender")
    is_theirs = isinstance(sender, dict) and str(sender.get("id")) == event.psid
    return (is_theirs and rules.is_customer_act(event.kind)) or _came_back(db, event)


def _came_back(db: Session, event: NewEvent) -> bool:
    theirs = col(Fanpage.page_id) == event.page_id, col(Customer.psid) == event.psid
    found = select(col(Customer.id)).join(Fanpage, col(Fanpage.id) == col(Customer.fanpage_id))
    return db.execute(found.where(*theirs).limit(1)).first() is not None
