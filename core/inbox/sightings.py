"""Updates customers by what events show of them: who wrote, and until when we may answer. One statement
serves many events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import case, or_, select
from sqlmodel import Session, col

from core.conversation.entry_kinds.kind import FoundEntry
from core.customers import unreachable_marks
from core.customers.unreachable_marks import CustomerKey
from core.db import bulk
from core.db.tables import Customer
from core.inbox import rules
from core.inbox.fanpage_event import FanpageEvent
from core.messenger.event_kinds import EventKind, base_kind

_PERSON = bulk.columns_of(Customer, "fanpage_id", "psid")
_WRITTEN = bulk.columns_of(
    Customer, "fanpage_id", "psid", "search_text", "window_closes_at", "last_event_at", "created_at"
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """An act of a customer: when it was, and until when it lets us write to them (None: it does not)."""

    person: CustomerKey
    at: datetime
    window_closes_at: datetime | None


def sighting_of(event: FanpageEvent, comments: Mapping[int, FoundEntry]) -> Sighting | None:
    """What an event shows of its customer; None when they did nothing themselves."""
    if event.psid is not None and event.id in comments:  # whose window stays as it is
        return Sighting((event.fanpage_id, event.psid), event.at, None)
    if event.psid is None or not rules.is_customer_act(event.kind):
        return None
    taken_back = (
        base_kind(event.kind) == EventKind.REACTION and event.raw["reaction"].get("action") == "unreact"
    )
    window = rules.window_closes_at(event.kind, event.at, taken_back=taken_back)
    return Sighting((event.fanpage_id, event.psid), event.at, window)


def upsert_customers(db: Session, sightings: Iterable[Sighting], now: datetime) -> None:
    """Insert or update the customers of these sightings. A window only ever grows, in whatever order events
    come, and a mark as unreachable that is older than the sighting is lifted."""
    seen: dict[CustomerKey, Sighting] = {}
    for sighting in sightings:
        seen[sighting.person] = _merged(seen.get(sighting.person), sighting)
    if seen:
        # Sorted, so that two servers never wait for each other's rows.
        rows = [_values(seen[person], now) for person in sorted(seen)]
        _upsert().run(db, bulk.bound(rows))


def customer_ids(db: Session, people: Iterable[CustomerKey]) -> dict[CustomerKey, int]:
    """The ids of those of these people who are customers."""
    given = bulk.bound(list(people))
    return {(fanpage_id, psid): id_ for id_, fanpage_id, psid in _ids().fetch(db, given)}


def _merged(known: Sighting | None, new: Sighting) -> Sighting:
    if known is None:
        return new
    window = rules.latest(known.window_closes_at, new.window_closes_at)
    return Sighting(new.person, max(known.at, new.at), window)


def _values(sighting: Sighting, now: datetime) -> list[object]:
    fanpage_id, psid = sighting.person
    times = (sighting.window_closes_at, sighting.at, now)
    return [fanpage_id, psid, psid, *(bulk.stamp(time) for time in times)]


@cache
def _upsert() -> bulk.CompiledStatement:
    statement = bulk.insert_given(Customer, _WRITTEN)
    new = statement.excluded
    reachable_again = col(Customer.unreachable_at) <= new.last_event_at
    update = statement.on_conflict_do_update(
        index_elements=["fanpage_id", "psid"],
        set_={
            "window_closes_at": _later(col(Customer.window_closes_at), new.window_closes_at),
            "last_event_at": _later(col(Customer.last_event_at), new.last_event_at),
            **unreachable_marks.lifted_when(reachable_again),
        },
    )
    return bulk.CompiledStatement(update)


def _later(old: Any, new: Any) -> Any:
    return case((or_(old.is_(None), old < new), new), else_=old)


@cache
def _ids() -> bulk.CompiledQuery:
    people = bulk.rows_given(_PERSON).subquery()
    same = (col(Customer.fanpage_id) == people.c.fanpage_id) & (col(Customer.psid) == people.c.psid)
    statement = select(col(Customer.id), col(Customer.fanpage_id), col(Customer.psid)).join(people, same)
    return bulk.CompiledQuery(statement)
