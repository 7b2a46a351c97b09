"""Dry runs: who would get a broadcast on a topic now, who would not and why, and what they agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, Subquery, and_, func, select
from sqlmodel import Session, col

from core.consent import eligibility
from core.consent.audience_filters import EVERYBODY, AudienceFilters
from core.customers.names import full_name
from core.db.engine import reading
from core.db.tables import Customer, Fanpage, OptIn, Topic
from core.errors import N_, NotFound


@dataclass(frozen=True)
class DryRun:
    audience: int
    eligible: int
    left_out: dict[str, int]  # code of eligibility.REASONS: people, in the order of the table
    rate: int
    in_window: int = 0  # of those eligible: whoever an opt-in saver would send an ordinary message

    def spends(self, *, saves_opt_ins: bool) -> int:
        """How many opt-ins the broadcast would use if it were sent now."""
        return self.eligible - self.in_window if saves_opt_ins else self.eligible

    @property
    def seconds_at_rate(self) -> float:
        return round(self.eligible / self.rate, 1)


@dataclass(frozen=True)
class AudienceMember:
    customer_id: int
    psid: str
    name: str
    reason: str


@dataclass(frozen=True)
class PromiseCount:
    title: str
    people: int


def dry_run(topic_id: int, filters: AudienceFilters = EVERYBODY, *, now: datetime) -> DryRun:
    """Who would get a broadcast on this topic now, and who would not, by reason."""
    with reading() as db:
        topic = _topic(db, topic_id)
        customers = eligibility.reasons_of_customers(topic_id, now, filters)
        by_reason = select(customers.c.reason, func.count()).group_by(customers.c.reason)
        counts: dict[str, int] = dict(db.execute(by_reason).all())
        rate = db.execute(select(col(Fanpage.rate)).where(col(Fanpage.id) == topic.fanpage_id)).scalar_one()
        in_window = db.execute(_count_in_window(customers, now)).scalar_one()
    eligible = counts.pop(eligibility.ELIGIBLE, 0)
    reasons = eligibility.reasons_with(filters)
    left_out = {each.code: counts[each.code] for each in reasons if counts.get(each.code)}
    return DryRun(eligible + sum(left_out.values()), eligible, left_out, rate, in_window)


def _count_in_window(customers: Subquery, now: datetime) -> Select[int]:
    theirs = col(Customer.id) == customers.c.customer_id, col(Customer.window_closes_at) > now
    return (
        select(func.count())
        .select_from(customers)
        .join(Customer, and_(*theirs))
        .where(customers.c.reason == eligibility.ELIGIBLE)
    )


def list_audience(
    topic_id: int,
    reason: str,
    filters: AudienceFilters = EVERYBODY,
    *,
    now: datetime,
    offset: int = 0,
    limit: int = 50,
) -> list[AudienceMember]:
    """The customers behind one number of a dry run: ELIGIBLE, or the code of a reason."""
    customers = eligibility.reasons_of_customers(topic_id, now, filters)
    with reading() as db:
        rows = db.execute(
            select(Customer)
            .join(customers, customers.c.customer_id == col(Customer.id))
            .where(customers.c.reason == reason)
            .order_by(col(Customer.id))
            .offset(offset)
            .limit(limit)
        ).scalars()
        return [AudienceMember(row.id or 0, row.psid, full_name(row), reason) for row in rows]


def list_promises(
    topic_id: int, filters: AudienceFilters = EVERYBODY, *, now: datetime, limit: int = 10
) -> list[PromiseCount]:
    """What those who would get a broadcast agreed to, most common wording first."""
    chosen = eligibility.chosen_opt_ins(topic_id, now, filters=filters).subquery()
    with reading() as db:
        rows = db.execute(
            select(col(OptIn.promise), func.count())
            .join(chosen, chosen.c.id == col(OptIn.id))
            .group_by(col(OptIn.promise))
            .order_by(func.count().desc(), func.min(col(OptIn.id)))
            .limit(limit)
        )
        return [PromiseCount(title, people) for title, people in rows]


def _topic(db: Session, topic_id: int) -> Topic:
    topic = db.get(Topic, topic_id)
    if topic is None:
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    return topic
