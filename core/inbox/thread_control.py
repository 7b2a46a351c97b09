"""Records which conversations another app controls: we are told what happens in them and must not answer.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/standby
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Update, bindparam, or_, select, update
from sqlmodel import Session, col

from core.customers.unreachable_marks import CustomerKey
from core.db.tables import Customer, UtcTime
from core.inbox.fanpage_event import FanpageEvent
from core.messenger import event_contents
from core.messenger.event_kinds import EventKind, is_standby

_SHOWS_OWNER = (EventKind.HANDOVER, EventKind.MESSAGE, EventKind.POSTBACK)


class ThreadOwner(NamedTuple):
    """Whether our app controlled a conversation at a moment, as an event shows it."""

    person: CustomerKey
    at: datetime
    is_ours: bool


def thread_owner_of(event: FanpageEvent) -> ThreadOwner | None:
    """Who controls the conversation, as far as an event shows it. A handover says so itself; any other event
    shows it by the channel in which it came."""
    is_ours = (
        event_contents.read_handover(event.raw).is_ours
        if event.kind == EventKind.HANDOVER
        else not is_standby(event.kind)
    )
    says = event.kind in _SHOWS_OWNER or is_standby(event.kind)
    if event.psid is None or is_ours is None or not says:
        return None
    return ThreadOwner((event.fanpage_id, event.psid), event.at, is_ours)


def record_thread_owners(db: Session, seen: Iterable[ThreadOwner]) -> None:
    """Record for each conversation what the latest of these says. What is older than what is known changes
    nothing."""
    latest: dict[CustomerKey, ThreadOwner] = {}
    for holder in seen:
        known = latest.get(holder.person)
        latest[holder.person] = holder if known is None or known.at <= holder.at else known
    holders = [latest[person] for person in sorted(latest)]
    _write(db, [each for each in holders if not each.is_ours], _taken())
    if any(each.is_ours for each in holders) and _some_are_taken(db):
        _write(db, [each for each in holders if each.is_ours], _given_back())


def _write(db: Session, holders: list[ThreadOwner], statement: Update) -> None:
    if holders:
        rows = [{"of": each.person[0], "who": each.person[1], "told_at": each.at} for each in holders]
        db.connection().execute(statement, rows)


def _taken() -> Update:
    told_at = bindparam("told_at", type_=UtcTime)
    is_newer = or_(col(Customer.other_app_at).is_(None), col(Customer.other_app_at) < told_at)
    return update(Customer).where(*_is_person(), is_newer).values(other_app_at=told_at)


def _given_back() -> Update:
    is_older = col(Customer.other_app_at) <= bindparam("told_at", type_=UtcTime)
    return update(Customer).where(*_is_person(), is_older).values(other_app_at=None)


def _is_person() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(Customer.fanpage_id) == bindparam("of"), col(Customer.psid) == bindparam("who")


def _some_are_taken(db: Session) -> bool:
    taken = select(col(Customer.id)).where(col(Customer.other_app_at).is_not(None))
    return db.execute(taken.limit(1)).first() is not None
