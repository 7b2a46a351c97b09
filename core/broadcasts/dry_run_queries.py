"""Dry runs: who would get a broadcast on a topic now, who would not and why, and what they agreed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, distinct, func, select
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
        in_window = db.execute(_in_window(topic, filters, now)).scalar_one()
    return summed_up(counts, rate, in_window, filters)


def summed_up(
    counts: Mapping[str, int], rate: int, in_window: int, filters: AudienceFilters = EVERYBODY
) -> DryRun:
    """The dry run in which so many people have each reason, or are eligible."""
    eligible = counts.get(eligibility.ELIGIBLE, 0)
    reasons = eligibility.reasons_with(filters)
    left_out = {each.code: counts[each.code] for each in reasons if counts.get(each.code)}
    return DryRun(eligible + sum(left_out.values()), eligible, left_out, rate, in_window)


def _in_window(topic: Topic, filters: AudienceFilters, now: datetime) -> Select[int]:
    """How many of those eligible are in the messaging window; it starts from these few customers."""
    return (
        select(func.count(distinct(col(OptIn.customer_id))))
        .join(Customer, col(Customer.id) == col(OptIn.customer_id))
        .where(
            col(Customer.fanpage_id) == topic.fanpage_id,
            col(Customer.window_closes_at) > now,
            col(OptIn.topic_id).op("+")(0) == topic.id,
            eligibility.is_eligible(now, filters),
        )
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


def sample_audience(
    topic_id: int, filters: AudienceFilters = EVERYBODY, *, now: datetime, limit: int = 5
) -> list[AudienceMember]:
    """Some of those who would get it: the first found in the index (topic, state, customer, end)."""
    chosen = (
        select(Customer)
        .join(OptIn, col(OptIn.customer_id) == col(Customer.id))
        .where(col(OptIn.topic_id) == topic_id, eligibility.is_eligible(now, filters))
        .order_by(col(OptIn.customer_id))
        .limit(2 * limit)  # somebody may hold several opt-ins
    )
    with reading() as db:
        rows = list({row.id: row for row in db.execute(chosen).scalars()}.values())[:limit]
        return [AudienceMember(row.id or 0, row.psid, full_name(row), eligibility.ELIGIBLE) for row in rows]


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
