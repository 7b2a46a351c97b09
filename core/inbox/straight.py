"""Taps that go straight from the wire to the ledger, in the transaction that stores them.

Only a tap of a known fanpage and of a person none of whose events wait: nobody's events change places.
All it does may be done twice (a tap that comes again), so it need not be known which events are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import BigInteger, Text, cast, literal_column, null, select, union_all
from sqlmodel import Session, col

from core import bulk
from core.consent.taps import Tap
from core.database import is_sqlite
from core.inbox.customers import Sighting, see_customers
from core.inbox.taps import record_taps
from core.inbox.vault import NewEvent
from core.tables import Event, Fanpage

Person = tuple[str, str | None]  # the platform's ids of a fanpage and of a person
_PERSON = bulk.columns_of(Event, "page_id", "psid")


class Straight(NamedTuple):
    """A tap that may go straight."""

    fanpage_id: int
    event: NewEvent


def going_straight(db: Session, events: Sequence[NewEvent]) -> tuple[list[Straight], list[NewEvent]]:
    """Splits events into those that may go straight and the others, which keep their order.

    The straight ones come in one order, so that two servers that are told the same never wait for each
    other crosswise.
    """
    taps = [event for event in events if event.token_sealed and event.psid]
    if not taps:
        return [], list(events)
    fanpages, waiting = _known(db, {(event.page_id, event.psid) for event in taps})
    waiting |= {(event.page_id, event.psid) for event in events if not event.token_sealed}
    straight = [
        Straight(fanpages[event.page_id], event)
        for event in taps
        if event.page_id in fanpages and (event.page_id, event.psid) not in waiting
    ]
    if len(straight) == len(events):
        others: list[NewEvent] = []
    else:
        chosen = {id(tap.event) for tap in straight}
        others = [event for event in events if id(event) not in chosen]
    return sorted(straight, key=_key), others


def _key(tap: Straight) -> tuple[str, str]:
    return tap.event.page_id, tap.event.dedupe_key


def _known(db: Session, people: set[Person]) -> tuple[dict[str, int], set[Person]]:
    """The ids of those fanpages that are ours, and the people whose events wait."""
    fanpages: dict[str, int] = {}
    waiting: set[Person] = set()
    for page_id, psid, fanpage_id in _about(for_sqlite=is_sqlite(db)).fetch(db, bulk.bound(list(people))):
        if fanpage_id is None:
            waiting.add((page_id, psid))
        else:
            fanpages[page_id] = fanpage_id
    return fanpages, waiting


@cache
def _about(*, for_sqlite: bool) -> bulk.Ready:
    given = bulk.rows_given(_PERSON, for_sqlite=for_sqlite).subquery("person")
    person = given.c
    their_events = (
        (col(Event.page_id) == person.page_id)
        & (col(Event.psid) == person.psid)
        & (col(Event.state) == literal_column("'pending'"))  # written out, or the index is not seen
    )
    nothing = cast(null(), BigInteger)
    waiting = select(person.page_id, person.psid, nothing.label("id")).join_from(given, Event, their_events)
    ours = select(col(Fanpage.page_id), cast(null(), Text), col(Fanpage.id)).where(
        col(Fanpage.page_id).in_(select(person.page_id))
    )
    return bulk.Ready(bulk.packed(union_all(waiting, ours), for_sqlite=for_sqlite))


def apply_straight(db: Session, taps: Sequence[Straight], now: datetime) -> None:
    seen = [Sighting((tap.fanpage_id, tap.event.psid or ""), tap.event.occurred_at, None) for tap in taps]
    see_customers(db, seen, now)
    record_taps(db, [_tap(*tap) for tap in taps], now)


def _tap(fanpage_id: int, event: NewEvent) -> Tap:
    return Tap(
        fanpage_id,
        event.psid or "",
        event.payload,
        None,
        event.token_hash,
        event.token_sealed,
        event.occurred_at,
    )
