"""Which stored events are wanted, as a value and as the conditions of a statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col

from core.db.tables import Event
from core.inbox.rules import EventState
from core.messenger.event_kinds import EventKind, kinds_in_standby, kinds_like


@dataclass(frozen=True)
class EventFilter:
    """Which events are wanted. `kind` counts in either channel; times are of receipt, `until` is excluded."""

    state: EventState | None = None
    kind: EventKind | None = None
    page_id: str | None = None
    psid: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    only_standby: bool = False  # of conversations that another app controls


def matching(asked: EventFilter) -> list[ColumnElement[bool]]:
    """The conditions of a filter."""
    found: list[ColumnElement[bool]] = []
    if asked.state is not None:
        found.append(col(Event.state) == asked.state)
    if asked.kind is not None:
        found.append(col(Event.kind).in_(kinds_like(asked.kind)))
    if asked.only_standby:
        found.append(col(Event.kind).in_(kinds_in_standby()))
    if asked.page_id is not None:
        found.append(col(Event.page_id) == asked.page_id)
    if asked.psid is not None:
        found.append(col(Event.psid) == asked.psid)
    if asked.since is not None:
        found.append(col(Event.received_at) >= asked.since)
    if asked.until is not None:
        found.append(col(Event.received_at) < asked.until)
    return found
