"""Applies taps on "Notify Me", many at once: finds their topics, records the opt-ins and thanks for them.

Only the first tap of a request is thanked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Text, select, update
from sqlmodel import Session, col

from core.consent.tapped_opt_ins import Tap, record_taps
from core.consent.withdrawals import is_before_withdrawal
from core.conversation.payloads import REQUEST_PAYLOAD, TEST_PAYLOAD
from core.conversation.thanks import answer_taps
from core.db import bulk
from core.db.tables import Request, Topic
from core.encryption import encrypt
from core.inbox.fanpage_event import FanpageEvent
from core.inbox.rules import find_topic
from core.installation.token_hash import token_hash
from core.messenger import event_contents
from core.testers.tester_taps import take_out_tests
from core.text.normalise import storable

_TAP_COLUMNS = {
    **bulk.columns_of(Request, "fanpage_id"),
    "payload": Text(),
    **bulk.columns_of(Request, "tapped_at"),
}


def tap_of(event: FanpageEvent) -> Tap:
    """The tap that an event of the kind `OPT_IN` tells of. Its topic is not known yet."""
    # The token is hashed and encrypted anew, not copied as the event holds it: there it stands as the
    # platform wrote it, perhaps as a number or between spaces.
    tapped = event_contents.read_opt_in(event.raw)
    if tapped is None:
        raise ValueError("a stored opt-in has lost its token")
    return Tap(
        fanpage_id=event.fanpage_id,
        psid=event.psid or "",
        payload=storable(tapped.payload or ""),
        topic_id=None,
        token_hash=token_hash(tapped.token),
        token_sealed=encrypt(tapped.token),
        consented_at=event.at,
    )


def apply_taps(db: Session, taps: Sequence[Tap], now: datetime) -> None:
    """Record taps as opt-ins, and thank for those that are the first on their request.

    Taps of testers on tests are none. A payload that is not ours may name a topic. If it names none, the
    opt-in waits for staff to assign it.
    """
    if not taps:
        return
    taps = take_out_tests(db, taps, now)
    _record(db, taps, now)
    if rows := _first_taps(taps):
        _note_first_taps(db, rows, now)


def record_taps_again(db: Session, taps: Sequence[Tap], now: datetime) -> None:
    """Record taps that were applied before, where their opt-ins are missing. Nobody is thanked."""
    taps = [tap for tap in taps if not tap.payload.startswith(TEST_PAYLOAD)]
    _record(db, taps, now)
    if rows := _first_taps(taps):
        _mark_tapped().run(db, rows)


def _record(db: Session, taps: Sequence[Tap], now: datetime) -> None:
    topics = TopicLookup(db)
    record_taps(db, [tap._replace(topic_id=topics.find(tap.fanpage_id, tap.payload)) for tap in taps], now)


def _first_taps(taps: Sequence[Tap]) -> dict[str, str]:
    """When each request was tapped first, for the statements below; empty when none was."""
    first: dict[tuple[int, str], datetime] = {}
    for tap in taps:
        if tap.payload:
            asked = (tap.fanpage_id, tap.payload)
            first[asked] = min(tap.consented_at, first.get(asked, tap.consented_at))
    return bulk.bound([[*asked, bulk.stamp(at)] for asked, at in first.items()]) if first else {}


def _note_first_taps(db: Session, rows: dict[str, str], now: datetime) -> None:
    """Mark requests as tapped that were not before, and thank for them unless the customer has withdrawn
    since. Only one process applies events at a time, so nobody is thanked twice."""
    to_thank = [id_ for (id_,) in _newly_tapped().fetch(db, rows)]
    _mark_tapped().run(db, rows)
    answer_taps(db, to_thank, now)


@cache
def _newly_tapped() -> bulk.CompiledQuery:
    """The requests that nobody has tapped yet, of customers who have not withdrawn since the tap."""
    given = bulk.rows_given(_TAP_COLUMNS).subquery("tap")
    statement = (
        select(col(Request.id))
        .join_from(given, Request, _is_asked(given.c))
        .where(
            col(Request.tapped_at).is_(None),
            ~is_before_withdrawal(col(Request.customer_id), col(Request.topic_id), given.c.tapped_at),
        )
    )
    return bulk.CompiledQuery(statement)


@cache
def _mark_tapped() -> bulk.CompiledStatement:
    tap = bulk.rows_given(_TAP_COLUMNS).subquery("tap").c
    first = _is_asked(tap), col(Request.tapped_at).is_(None)
    return bulk.CompiledStatement(update(Request).where(*first).values(tapped_at=tap.tapped_at))


def _is_asked(tap: Any) -> Any:
    return (col(Request.payload) == tap.payload) & (col(Request.fanpage_id) == tap.fanpage_id)


class TopicLookup:
    """Finds the topics that payloads name; the topics of a fanpage are read once, when first needed."""

    def __init__(self, db: Session) -> None:
        self._db = db
        self._names: dict[int, dict[int, str]] = {}
        self._found: dict[tuple[int, str], int | None] = {}

    def find(self, fanpage_id: int, payload: str) -> int | None:
        """The id of the topic that a payload names, or None. A payload of ours (`REQUEST_PAYLOAD`) names
        none: its topic is that of its request."""
        if not payload or payload.startswith(REQUEST_PAYLOAD):
            return None
        key = (fanpage_id, payload)
        if key not in self._found:
            self._found[key] = find_topic(payload, self._topics_of(fanpage_id))
        return self._found[key]

    def _topics_of(self, fanpage_id: int) -> dict[int, str]:
        if fanpage_id not in self._names:
            statement = select(col(Topic.id), col(Topic.name)).where(
                col(Topic.fanpage_id) == fanpage_id, col(Topic.archived_at).is_(None)
            )
            self._names[fanpage_id] = {row.id: row.name for row in self._db.execute(statement)}
        return self._names[fanpage_id]
