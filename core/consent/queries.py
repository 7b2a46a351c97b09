"""Topics and their figures; see opt_in_queries.py and customer_queries.py for single opt-ins and people.

An opt-in whose year has ended counts as expired from that moment, also before the worker has marked it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, distinct, func, select
from sqlmodel import Session, col

from core.consent import eligibility
from core.consent.rules import OptInState
from core.db.engine import reading
from core.db.tables import Customer, OptIn, Topic
from core.errors import N_, NotFound
from core.text.collation import sort_key
from core.text.normalise import name_key, normalise_name

SOON = timedelta(days=30)


@dataclass(frozen=True)
class TopicView:
    """A topic with its opt-ins by state, and `people`: how many a broadcast would reach now."""

    id: int
    fanpage_id: int
    name: str
    description: str
    archived_at: datetime | None
    created_at: datetime
    available: int = 0
    reserved: int = 0
    spent: int = 0
    expired: int = 0
    refused: int = 0
    withdrawn: int = 0
    people: int = 0
    unreachable: int = 0  # people who hold a usable opt-in as well, but cannot be reached
    expiring_30_days: int = 0

    @property
    def total(self) -> int:
        return self.available + self.reserved + self.spent + self.expired + self.refused + self.withdrawn


@dataclass(frozen=True)
class TopicName:
    """A topic without its figures."""

    id: int
    name: str


def list_topics(fanpage_id: int, *, now: datetime, archived: bool = False) -> list[TopicView]:
    """A fanpage's topics in the order of their names: those in use, or the archived ones."""
    put_away = col(Topic.archived_at).is_not(None)
    chosen = select(Topic).where(col(Topic.fanpage_id) == fanpage_id, put_away if archived else ~put_away)
    with reading() as db:
        topics = db.execute(chosen).scalars().all()
        figures = _figures(db, [topic.id or 0 for topic in topics], now)
    return sorted((_view(topic, figures) for topic in topics), key=lambda topic: sort_key(topic.name))


def list_topic_names(fanpage_id: int) -> list[TopicName]:
    """A fanpage's topics in use in the order of their names, without any figures."""
    statement = select(col(Topic.id), col(Topic.name)).where(
        col(Topic.fanpage_id) == fanpage_id, col(Topic.archived_at).is_(None)
    )
    with reading() as db:
        found = [TopicName(key or 0, name) for key, name in db.execute(statement)]
    return sorted(found, key=lambda topic: sort_key(topic.name))


def get_topic(topic_id: int, *, now: datetime) -> TopicView:
    with reading() as db:
        topic = db.get(Topic, topic_id)
        if topic is None:
            raise NotFound(N_("There is no topic {id}."), id=topic_id)
        return _view(topic, _figures(db, [topic_id], now))


def find_topic(fanpage_id: int, name: str) -> int | None:
    """The id of the topic with this name, compared as `create_topic` compares names."""
    topics = select(col(Topic.name), col(Topic.id)).where(col(Topic.fanpage_id) == fanpage_id)
    with reading() as db:
        names = dict(db.execute(topics.order_by(col(Topic.id))).all())
    wanted = name_key(name)
    alike = (topic_id for known, topic_id in names.items() if name_key(known) == wanted)
    return names.get(normalise_name(name)) or next(alike, None)


def _figures(db: Session, topic_ids: Sequence[int], now: datetime) -> dict[int, dict[str, int]]:
    """One pass over the index (topic, state, customer, end); nothing of the table itself is read."""
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


def _kept_out(db: Session, topic_ids: Sequence[int], now: datetime) -> list[tuple[int, str, int]]:
    """(topic, reason, people) of those who hold an opt-in that could be used but get nothing now."""
    fanpages = select(col(Topic.fanpage_id)).where(col(Topic.id).in_(topic_ids))
    reason = eligibility.why_kept_out(now).label("reason")
    statement = (
        select(col(OptIn.topic_id), reason, func.count(distinct(col(OptIn.customer_id))))
        .join(Customer, col(Customer.id) == col(OptIn.customer_id))
        .where(
            col(Customer.fanpage_id).in_(fanpages),
            eligibility.is_kept_out_for_good(now),
            col(OptIn.topic_id).op("+")(0).in_(topic_ids),  # + 0: start from these few customers
            eligibility.is_usable(now),
        )
        .group_by(col(OptIn.topic_id), "reason")
    )
    return [(topic_id or 0, code, people) for topic_id, code, people in db.execute(statement)]


def _view(topic: Topic, figures: dict[int, dict[str, int]]) -> TopicView:
    topic_id = topic.id or 0
    return TopicView(
        topic_id,
        topic.fanpage_id,
        topic.name,
        topic.description,
        topic.archived_at,
        topic.created_at,
        **figures.get(topic_id, {}),
    )
