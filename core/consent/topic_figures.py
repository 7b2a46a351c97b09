"""The figures of topics: counted anew, or as the worker counted them last where that takes long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, case, distinct, func, select
from sqlmodel import Session, col

from core.consent import eligibility
from core.consent.rules import OptInState
from core.db.tables import Customer, OptIn, Topic, TopicCount

SOON = timedelta(days=30)
LARGE = 50_000  # opt-ins; so many are counted in a tenth of a second
SMALL = LARGE // 10  # opt-ins; a topic with no more is counted at each look, beside large ones, too


def count_figures(db: Session, topic_ids: Sequence[int], now: datetime) -> dict[int, dict[str, int]]:
    """By topic the figures of a `TopicView`.

    One pass over the index (topic, state, customer, end); nothing of the table itself is read.
    """
    usable = eligibility.is_usable(now)
    statement = (
        select(
            col(OptIn.topic_id),
            col(OptIn.state),
            func.count(),
            func.sum(case((eligibility.has_ended(now), 1), else_=0)),
            func.sum(case((and_(usable, col(OptIn.expires_at) <= now + SOON), 1), else_=0)),
            func.count(distinct(case((usable, col(OptIn.customer_id)), else_=None))),
        )
        .where(col(OptIn.topic_id).in_(topic_ids))
        .group_by(col(OptIn.topic_id), col(OptIn.state))
    )
    figures: dict[int, dict[str, int]] = {}
    for topic_id, state, count, over, soon, people in db.execute(statement):
        of_topic = figures.setdefault(topic_id or 0, {})
        of_topic[state] = of_topic.get(state, 0) + count
        if state == OptInState.AVAILABLE:
            of_topic["available"] -= over
            of_topic["expired"] = of_topic.get("expired", 0) + over
            of_topic |= {"people": people, "expiring_30_days": soon}
    for topic_id, reason, people in _kept_out(db, topic_ids, now):
        figures[topic_id]["people"] -= people
        if reason == eligibility.UNREACHABLE:
            figures[topic_id]["unreachable"] = people
    return figures


def known_figures(
    db: Session, topic_ids: Sequence[int], now: datetime
) -> tuple[dict[int, dict[str, int]], datetime | None]:
    """The same as counted last, and when that was; counted anew (None) where it does not take long."""
    kept = [each for each in large_counts(db, topic_ids) if size_of(each) > SMALL]
    figures = {each.topic_id: each.figures for each in kept}
    new = [topic_id for topic_id in topic_ids if topic_id not in figures]
    figures |= count_figures(db, new, now)
    return figures, min((each.counted_at for each in kept), default=None)


def large_counts(db: Session, topic_ids: Sequence[int]) -> Sequence[TopicCount]:
    """These topics as the worker counted them last; nothing where they are small enough to be counted anew at
    each look."""
    kept = db.execute(select(TopicCount).where(col(TopicCount.topic_id).in_(topic_ids))).scalars().all()
    return kept if sum(map(size_of, kept)) > LARGE else ()


def size_of(kept: TopicCount) -> int:
    """How many opt-ins of all states a topic had then."""
    return sum(kept.figures.get(state, 0) for state in OptInState)


def _kept_out(db: Session, topic_ids: Sequence[int], now: datetime) -> list[tuple[int, str, int]]:
    """(topic, reason, people) of those who hold an opt-in that could be used but get nothing now."""
    fanpages = select(col(Topic.fanpage_id)).where(col(Topic.id).in_(topic_ids))
    reason = eligibility.why_kept_out(now).label("reason")
    statement = (
        select(col(OptIn.topic_id), reason, func.count(distinct(col(OptIn.customer_id))))
        .join(Customer, col(Customer.id) == col(OptIn.customer_id))
        .where(
            col(Customer.fanpage_id).in_(fanpages),
            eligibility.is_kept_out_indefinitely(now),
            col(OptIn.topic_id).op("+")(0).in_(topic_ids),  # + 0: start from these few customers
            eligibility.is_usable(now),
        )
        .group_by(col(OptIn.topic_id), "reason")
    )
    return [(topic_id or 0, code, people) for topic_id, code, people in db.execute(statement)]
