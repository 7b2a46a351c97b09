"""The platform's allowance: 200 calls for each person that a fanpage can message, in any 24 hours.

Source: Messenger Platform, rate limiting (200 × engaged users, rolling 24 hours). The people counted here are
the customers we know and can reach, so never more than the platform counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import structlog
from sqlalchemy import func, select
from sqlmodel import Session, col

from core.customers import unreachable_marks
from core.db import bulk
from core.db.engine import reading, transaction, unless_locked, wait_for_locks
from core.db.tables import CallsOfHour, Customer
from core.sending.limits import rate_limiter
from core.sending.rules import PATIENCE_OF_ALL

log = structlog.get_logger(__name__)

EVERY_SECONDS = 20.0
WAIT_SECONDS = 300.0
PER_PERSON = 200
SPAN = timedelta(hours=24)
_NOTED = bulk.columns_of(CallsOfHour, "fanpage_id", "hour", "calls")


@dataclass(frozen=True)
class Allowance:
    """How many calls a fanpage may make in 24 hours, and how many it has made."""

    limit: int
    used: int  # in the last 24 hours and the rest of their first hour: never less than the platform counts

    @property
    def left(self) -> int:
        """How many more calls the fanpage may make now."""
        return max(0, self.limit - self.used)

    def share(self, messages: int) -> float:
        """The share of the allowance that is used after so many more messages; 1.0 is all of it."""
        return (self.used + messages) / self.limit if self.limit else 1.0


def note_calls(db: Session, calls: Mapping[int, int], *, now: datetime) -> None:
    """Add these calls, by fanpage, to the count of this hour. Each message of a batch is one. Called inside
    the settling transaction."""
    hour = bulk.stamp(_hour(now))
    _noting().run(db, bulk.bound([(fanpage_id, hour, calls[fanpage_id]) for fanpage_id in sorted(calls)]))


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


@cache
def _noting() -> bulk.CompiledStatement:
    insert = bulk.insert_given(CallsOfHour, _NOTED)
    together = col(CallsOfHour.calls) + insert.excluded.calls
    return bulk.CompiledStatement(
        insert.on_conflict_do_update(index_elements=["fanpage_id", "hour"], set_={"calls": together})
    )


def allowance_of(fanpage_id: int, *, now: datetime) -> Allowance:
    """The allowance of one fanpage. All of its people are counted, and the few who are kept out: both from
    indexes alone, or nearly."""
    since = _hour(now) - SPAN
    all_of_it = select(func.count()).select_from(Customer).where(col(Customer.fanpage_id) == fanpage_id)
    with reading() as db:
        kept_out = db.execute(all_of_it.where(unreachable_marks.keeps_out())).scalar_one()
        people = db.execute(all_of_it).scalar_one() - kept_out
        used = db.execute(
            select(func.coalesce(func.sum(col(CallsOfHour.calls)), 0)).where(
                col(CallsOfHour.fanpage_id) == fanpage_id, col(CallsOfHour.hour) >= since
            )
        ).scalar_one()
    return Allowance(max(1, people) * PER_PERSON, int(used))


def used_up(fanpage_ids: Collection[int], *, now: datetime) -> set[int]:
    """Which of these fanpages have no call left. Their people are counted only until that is known."""
    used = (
        select(col(CallsOfHour.fanpage_id), func.sum(col(CallsOfHour.calls)).label("calls"))
        .where(
            col(CallsOfHour.fanpage_id).in_(bulk.among(sorted(fanpage_ids))),
            col(CallsOfHour.hour) >= _hour(now) - SPAN,
        )
        .group_by(col(CallsOfHour.fanpage_id))
    )
    with reading() as db:
        calls = {fanpage_id: int(count) for fanpage_id, count in db.execute(used)}
        many = {each: count // PER_PERSON for each, count in calls.items() if count >= PER_PERSON}
        return {each for each, people in many.items() if _has_no_more_than(db, each, people)}


def _has_no_more_than(db: Session, fanpage_id: int, people: int) -> bool:
    """Whether the fanpage can message at most so many people; it counts as having one at least."""
    theirs = select(col(Customer.id)).where(
        col(Customer.fanpage_id) == fanpage_id, ~unreachable_marks.keeps_out()
    )
    some = theirs.limit(people + 1).subquery()
    return max(1, int(db.execute(select(func.count()).select_from(some)).scalar_one())) <= people


class Allowances:
    """Lets each fanpage whose allowance is used up wait for five minutes, and then checks it again."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._at = float("-inf")  # monotonic
        self._known: set[int] = set()  # looked at since

    def used_up(self, fanpage_ids: Collection[int]) -> set[int]:
        """Those of these fanpages that must not send now. Each is checked every twenty seconds."""
        if time.monotonic() - self._at >= EVERY_SECONDS:
            self._at, self._known = time.monotonic(), set()
        unknown = set(fanpage_ids) - self._known
        if not unknown:
            return set()
        now = self._clock()
        gone = used_up(unknown, now=now)
        for fanpage_id in sorted(gone):
            log.warning("allowance_used_up", fanpage_id=fanpage_id)
            with unless_locked(), transaction() as db:  # what is locked is said again in a moment
                wait_for_locks(db, PATIENCE_OF_ALL)
                rate_limiter.make_wait(db, fanpage_id, at=now.timestamp(), seconds=WAIT_SECONDS)
        self._known |= unknown - gone
        return gone
