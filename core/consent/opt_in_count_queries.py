"""The opt-ins of a fanpage as they were counted last: by day, by end, and by how many one person holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import col

from core.consent import eligibility
from core.customers.names import full_name
from core.db.engine import reading
from core.db.tables import Customer, OptIn, OptInCount


@dataclass(frozen=True)
class Holdings:
    """What the people of a topic hold."""

    held: Mapping[int, int] = field(default_factory=dict)  # so many opt-ins: people
    ends: Mapping[str, int] = field(
        default_factory=dict
    )  # day (2026-11-30) or later month (2027-03): opt-ins

    @property
    def people(self) -> int:
        return self.holding(1)

    @property
    def opt_ins(self) -> int:
        return sum(self.ends.values())

    def holding(self, least: int) -> int:
        """People who hold at least so many."""
        return sum(people for held, people in self.held.items() if held >= least)

    def ending_within(self, days: int, today: date) -> int:
        """Opt-ins that end within so many days."""
        last = (today + timedelta(days=days)).isoformat()
        return sum(opt_ins for end, opt_ins in self.ends.items() if len(end) == len(last) and end <= last)

    def by_month(self) -> dict[str, int]:
        """Opt-ins by the month in which they end, as 2026-11."""
        found: dict[str, int] = {}
        for end, opt_ins in sorted(self.ends.items()):
            found[end[:7]] = found.get(end[:7], 0) + opt_ins
        return found


@dataclass(frozen=True)
class Stock:
    """A fanpage's opt-ins."""

    counted_at: datetime
    agreed: Mapping[str, int]  # day in the fanpage's zone: opt-ins
    lapsed: Mapping[str, int]  # ended unused
    topics: Mapping[int, Holdings]

    def of(self, topic_id: int) -> Holdings:
        return self.topics.get(topic_id, Holdings())

    def ending_within(self, days: int, today: date, topic_ids: Iterable[int]) -> int:
        return sum(self.of(topic_id).ending_within(days, today) for topic_id in topic_ids)


@dataclass(frozen=True)
class Holder:
    """A person who holds several opt-ins of a topic."""

    customer_id: int
    name: str
    psid: str
    opt_ins: int
    first_end: datetime


def get_stock_of(fanpage_id: int) -> Stock | None:
    """The stock of a fanpage as it was counted last; None while it has not been counted."""
    with reading() as db:
        row = db.get(OptInCount, fanpage_id)
    if row is None:
        return None
    topics = {
        int(topic_id): Holdings(
            {int(held): people for held, people in row.held.get(topic_id, {}).items()},
            row.ends.get(topic_id, {}),
        )
        for topic_id in {*row.held, *row.ends}
    }
    return Stock(row.counted_at, row.agreed, row.lapsed, topics)


def list_holders(topic_id: int, *, now: datetime, limit: int = 25) -> list[Holder]:
    """The people who hold two or more usable opt-ins of a topic, those with most first."""
    held = func.count()
    chosen = (
        select(col(OptIn.customer_id), held.label("held"), func.min(OptIn.expires_at).label("first_end"))
        .where(
            col(OptIn.topic_id) == topic_id, col(OptIn.customer_id).is_not(None), eligibility.is_usable(now)
        )
        .group_by(col(OptIn.customer_id))
        .having(held > 1)
        .order_by(held.desc(), col(OptIn.customer_id))
        .limit(limit)
        .subquery()
    )
    statement = (
        select(Customer, chosen.c.held, chosen.c.first_end)
        .join(chosen, chosen.c.customer_id == col(Customer.id))
        .order_by(chosen.c.held.desc(), col(Customer.id))
    )
    with reading() as db:
        return [
            Holder(
                row.id or 0,
                full_name(row),
                row.psid,
                opt_ins,
                first_end,
            )
            for row, opt_ins, first_end in db.execute(statement)
        ]
