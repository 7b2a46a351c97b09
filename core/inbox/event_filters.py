"""Which stored events are wanted, as a value and as the conditions of a statement."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlmodel import col

from core.db.tables import Event, Fanpage
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
    fanpage_ids: frozenset[int] | None = None  # of these fanpages; None: of all, and of pages that are none


def matching(asked: EventFilter) -> list[ColumnElement[bool]]:
    """The conditions of a filter."""
    found = belonging_to(asked.fanpage_ids)
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


def belonging_to(fanpage_ids: Collection[int] | None) -> list[ColumnElement[bool]]:
    """The condition that an event is of one of these fanpages; none where that does not matter (None). An
    event is of the fanpage that its entry in the webhook's body named."""
    if fanpage_ids is None:
        return []
    return [col(Event.page_id).in_(select(col(Fanpage.page_id)).where(col(Fanpage.id).in_(fanpage_ids)))]
