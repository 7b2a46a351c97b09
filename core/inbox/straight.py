"""Taps that go straight from the wire to the ledger, in the transaction that stores them.

Only a tap of a known fanpage and of a person none of whose events wait: nobody's events change places.
All it does may be done twice (a tap that comes again), so it need not be known which events are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import BigInteger, Text, cast, func, literal_column, null, select, union_all
from sqlmodel import Session, col

from core import bulk
from core.consent.taps import Tap
from core.conversation.replies import answer_taps
from core.database import is_sqlite
from core.inbox.customers import Sighting, see_customers
from core.inbox.keeping import keep_events
from core.inbox.rules import EventState
from core.inbox.tap_trigger import keep_by_trigger
from core.inbox.taps import Topics, is_unthanked, record_taps, their_own
from core.inbox.vault import NewEvent
from core.tables import Customer, Event, Fanpage, Request

Person = tuple[str, str | None]  # the platform's ids of a fanpage and of a person
_TAP = {**bulk.columns_of(Event, "page_id", "psid"), **bulk.columns_of(Request, "payload")}


class Straight(NamedTuple):
    """A tap that may go straight."""

    fanpage_id: int
    event: NewEvent


class Known(NamedTuple):
    """What the database says about taps."""

    fanpages: dict[str, int]  # those that are ours
    waiting: set[Person]  # whose events wait for their turn
    to_thank: dict[tuple[str, str], int]  # requests not tapped yet, by page and payload; SQLite alone
    last_id: int  # of the events so far; SQLite alone


NOTHING = Known({}, set(), {}, 0)


def going_straight(
    db: Session, events: Sequence[NewEvent], now: datetime
) -> tuple[list[Straight], list[NewEvent], Known]:
    """Splits events into those that may go straight and the others, which keep their order.

    The straight ones come in one order, so that two servers that are told the same never wait for each
    other crosswise.
    """
    taps = [event for event in events if event.token_sealed and event.psid]
    if not taps:
        return [], list(events), NOTHING
    known = _known(db, {(event.page_id, event.psid, event.payload) for event in taps}, now)
    fanpages = known.fanpages
    waiting = known.waiting | {(event.page_id, event.psid) for event in events if not event.token_sealed}
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
    return sorted(straight, key=_key), others, known


def _key(tap: Straight) -> tuple[str, str]:
    return tap.event.page_id, tap.event.dedupe_key


def _known(db: Session, taps: set[tuple[str, str | None, str]], now: datetime) -> Known:
    lite = is_sqlite(db)
    fanpages: dict[str, int] = {}
    waiting: set[Person] = set()
    to_thank: dict[tuple[str, str], int] = {}
    last_id = 0
    at = {"now": bulk.stamp(now, for_sqlite=lite)} if lite else {}
    for page_id, whose, fanpage_id, request_id in _about(for_sqlite=lite).fetch(
        db, {**bulk.bound(list(taps)), **at}
    ):
        if page_id is None:
            last_id = request_id or 0
        elif request_id is not None:
            to_thank[page_id, whose] = request_id
        elif fanpage_id is not None:
            fanpages[page_id] = fanpage_id
        else:
            waiting.add((page_id, whose))
    return Known(fanpages, waiting, to_thank, last_id)


@cache
def _about(*, for_sqlite: bool) -> bulk.Ready:
    given = bulk.rows_given(_TAP, for_sqlite=for_sqlite).subquery("tap")
    tap = given.c
    their_events = (
        (col(Event.page_id) == tap.page_id)
        & (col(Event.psid) == tap.psid)
        & (col(Event.state) == literal_column("'pending'"))  # written out, or the index is not seen
    )
    nothing = cast(null(), BigInteger)
    waiting = select(tap.page_id, tap.psid, nothing.label("fanpage_id"), nothing.label("request_id"))
    ours = select(col(Fanpage.page_id), cast(null(), Text), col(Fanpage.id), nothing).where(
        col(Fanpage.page_id).in_(select(tap.page_id))
    )
    parts = [waiting.join_from(given, Event, their_events), ours]
    if for_sqlite:  # PostgreSQL locks them first: inbox/taps.py
        to_thank = select(tap.page_id, tap.payload, col(Fanpage.id), col(Request.id))
        to_thank = to_thank.join_from(given, Fanpage, col(Fanpage.page_id) == tap.page_id)
        asked = (col(Request.payload) == tap.payload) & (col(Request.fanpage_id) == col(Fanpage.id))
        parts.append(to_thank.join(Request, asked).join(Customer, their_own()).where(*is_unthanked()))
        parts.append(select(cast(null(), Text), cast(null(), Text), nothing, func.max(col(Event.id))))
    return bulk.Ready(bulk.packed(union_all(*parts), for_sqlite=for_sqlite))


def apply_straight(db: Session, taps: Sequence[Straight], known: Known, now: datetime) -> int:
    """Keep the events and do what they call for; returns how many were new."""
    if is_sqlite(db):
        new = keep_by_trigger(db, taps, Topics(db), known.last_id, now)
        asked = {(tap.event.page_id, tap.event.payload) for tap in taps} & known.to_thank.keys()
        answer_taps(db, [known.to_thank[each] for each in asked], now)
        return new
    new = keep_events(db, [tap.event for tap in taps], EventState.APPLIED, now)
    seen = [Sighting((tap.fanpage_id, tap.event.psid or ""), tap.event.occurred_at, None) for tap in taps]
    see_customers(db, seen, now)
    record_taps(db, [_tap(*tap) for tap in taps], now)
    return new


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
