"""The platform's allowance: 200 calls per person a fanpage can message, in any 24 hours.

Source: Messenger Platform, rate limiting (200 × engaged users, rolling 24 hours). People the fanpage can
message are those known to us and not unreachable: never more than the platform counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import bulk
from core.customers import marks
from core.database import is_sqlite, reading
from core.tables import CallsOfHour, Customer

PER_PERSON = 200
SPAN = timedelta(hours=24)
_NOTED = bulk.columns_of(CallsOfHour, "fanpage_id", "hour", "calls")


@dataclass(frozen=True)
class Allowance:
    limit: int
    used: int  # of the last 24 hours, whole hours: never less than the platform counts

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    def share(self, messages: int) -> float:
        """How much of the allowance would be used after so many more, 1.0 is all of it."""
        return (self.used + messages) / self.limit if self.limit else 1.0


def note_calls(db: Session, fanpage_id: int, calls: int, *, now: datetime) -> None:
    """Count calls, each message of a batch for one; inside the settling transaction."""
    note_calls_of(db, {fanpage_id: calls}, now=now)


def note_calls_of(db: Session, calls: Mapping[int, int], *, now: datetime) -> None:
    """By fanpage."""
    lite = is_sqlite(db)
    hour = bulk.stamp(now.replace(minute=0, second=0, microsecond=0), for_sqlite=lite)
    rows = [(fanpage_id, hour, calls[fanpage_id]) for fanpage_id in sorted(calls)]
    _noting(for_sqlite=lite).run(db, bulk.bound(rows))


@cache
def _noting(*, for_sqlite: bool) -> bulk.Ready:
    insert = bulk.insert_given(CallsOfHour, _NOTED, for_sqlite=for_sqlite)
    together = col(CallsOfHour.calls) + insert.excluded.calls
    return bulk.Ready(
        insert.on_conflict_do_update(index_elements=["fanpage_id", "hour"], set_={"calls": together})
    )


def allowance_of(fanpage_id: int, *, now: datetime) -> Allowance:
    since = now.replace(minute=0, second=0, microsecond=0) - SPAN
    with reading() as db:
        people = db.execute(
            select(func.count())
            .select_from(Customer)
            .where(col(Customer.fanpage_id) == fanpage_id, ~marks.keeps_out())
        ).scalar_one()
        used = db.execute(
            select(func.coalesce(func.sum(col(CallsOfHour.calls)), 0)).where(
                col(CallsOfHour.fanpage_id) == fanpage_id, col(CallsOfHour.hour) >= since
            )
        ).scalar_one()
    return Allowance(max(1, people) * PER_PERSON, int(used))
