"""What staff do with webhook events: replay them.

An event that had no effect yet is applied in full: it failed, or its fanpage was connected only later. One
that was applied before is only recorded again (see effects.py), so that a replay never answers a customer
twice or makes a second opt-in.

Whoever looks after some fanpages replays the events of these; what is of no fanpage of ours is for operators
of all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, update
from sqlmodel import Session, col

from core.accounts.activity_log import fanpage_of_line, record
from core.accounts.authorising import EVERYTHING, Scope, authorise, of, of_fanpages
from core.accounts.rules import Actor, Permission
from core.db.engine import reading, transaction
from core.db.tables import Event, Fanpage, UtcTime
from core.errors import N_, Invalid, NotFound, WrongState, problem
from core.inbox import event_filters
from core.inbox.event_filters import EventFilter, matching
from core.inbox.rules import UNKNOWN_FANPAGE, EventState

MOST_AT_ONCE = 50_000  # new events wait until those that are replayed have been applied

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True)
class ReplayCount:
    """How many events a replay applies in full, and how many it only records again."""

    in_full: int
    again: int

    @property
    def total(self) -> int:
        return self.in_full + self.again


def count_replay(
    fanpage_ids: Collection[int] | None, asked: EventFilter | None = None, *, until: datetime | None = None
) -> ReplayCount:
    """What `replay` of the same events would do by an operator of these fanpages (None: of all)."""
    with reading() as db:
        return _count(db, _conditions(fanpage_ids, asked, until))


def count_replay_of(event_id: int) -> ReplayCount:
    """What `replay_one` would do; nothing when the event is pending, or of no fanpage of ours."""
    with reading() as db:
        return _count(db, _one(event_id))


def replay(
    by: Actor, asked: EventFilter | None = None, *, until: datetime | None = None, now: datetime
) -> int:
    """Make events pending again: those of a filter, or (None) all that failed and those of fanpages that were
    connected since; with `until` only those received before it, and always only those of the operator's own
    fanpages. Returns how many. Raises Invalid when they are too many for one time."""
    chosen = _conditions(by.fanpage_ids, asked, until)
    scopes = of_fanpages(by.fanpage_ids)
    return _replay(by, chosen, scopes, now=now, fanpage_id=fanpage_of_line(by.fanpage_ids))


def replay_one(by: Actor, event_id: int, *, now: datetime) -> None:
    """Make one event pending again. Raises WrongState when it is pending, or of no fanpage of ours."""
    with reading() as db:
        event = db.get(Event, event_id)
        if event is None:
            raise NotFound(N_("There is no event {id}; old events are deleted."), id=event_id)
        fanpage_id = db.scalar(select(col(Fanpage.id)).where(col(Fanpage.page_id) == event.page_id))
    scope = EVERYTHING if fanpage_id is None else of(Fanpage, fanpage_id)
    if not _replay(by, _one(event_id), [scope], now=now, subject_id=event_id, fanpage_id=fanpage_id):
        raise WrongState(
            N_(
                "This event is already waiting to be processed, or belongs to a fanpage that is not "
                "connected here."
            )
        )


def _replay(
    by: Actor,
    chosen: Conditions,
    scopes: Sequence[Scope],
    *,
    now: datetime,
    subject_id: int | None = None,
    fanpage_id: int | None = None,
) -> int:
    again = case((_had_no_effect(), col(Event.replayed_at)), else_=literal(now, UtcTime))
    values = {"state": EventState.PENDING, "note": None, "applied_at": None, "replayed_at": again}
    statement = update(Event).where(*chosen).values(values)
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, *scopes, now=now)
        if _count(db, chosen).total > MOST_AT_ONCE:
            words = N_("You can replay at most {limit} events at once; choose a shorter time.")
            raise Invalid([problem("events", words, limit=f"{MOST_AT_ONCE:,}")])
        count: int = db.connection().execute(statement).rowcount
        if count:
            record(
                db, by, "event.replay", now=now, subject_id=subject_id, fanpage_id=fanpage_id, events=count
            )
        return count


def _count(db: Session, chosen: Conditions) -> ReplayCount:
    in_full = func.sum(case((_had_no_effect(), 1), else_=0))
    found: Any = db.execute(select(func.count(), in_full).select_from(Event).where(*chosen)).one()
    return ReplayCount(found[1] or 0, found[0] - (found[1] or 0))


def _conditions(
    fanpage_ids: Collection[int] | None, asked: EventFilter | None, until: datetime | None
) -> Conditions:
    wanted = [_may_be_replayed(), *matching(asked)] if asked else [or_(_failed(), _was_early())]
    chosen = [*wanted, *event_filters.belonging_to(fanpage_ids)]
    return chosen if until is None else [*chosen, col(Event.received_at) < until]


def _one(event_id: int) -> Conditions:
    return [_may_be_replayed(), col(Event.id) == event_id]


def _may_be_replayed() -> ColumnElement[bool]:
    """Not what is pending, and of a fanpage that is connected."""
    return and_(col(Event.state) != EventState.PENDING, or_(~_is_unknown(), _is_ours()))


def _had_no_effect() -> ColumnElement[bool]:
    return and_(col(Event.replayed_at).is_(None), or_(_failed(), _is_unknown()))


def _failed() -> ColumnElement[bool]:
    return col(Event.state) == EventState.FAILED


def _was_early() -> ColumnElement[bool]:
    """It came before its fanpage was connected."""
    return and_(_is_unknown(), _is_ours())


def _is_unknown() -> ColumnElement[bool]:
    return and_(col(Event.state) == EventState.IGNORED, col(Event.note).is_not_distinct_from(UNKNOWN_FANPAGE))


def _is_ours() -> ColumnElement[bool]:
    return col(Event.page_id).in_(select(col(Fanpage.page_id)))
