"""Topics and their figures, exact or as counted last. Single opt-ins and people: opt_in_queries.py,
customer_queries.py.

An opt-in whose year has ended counts as expired from that moment, also before the worker has marked it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.consent.topic_figures import count_figures, known_figures
from core.db.engine import reading
from core.db.tables import OptIn, Topic
from core.errors import N_, NotFound
from core.text.collation import sort_key
from core.text.normalise import name_key, normalise_name


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
    counted_at: datetime | None = None  # when these figures were counted; None: just now

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
    with reading() as db:
        topics = _topics_of(db, fanpage_id, archived)
        return _in_order(topics, count_figures(db, [topic.id or 0 for topic in topics], now))


def list_counted_topics(fanpage_id: int, *, now: datetime, archived: bool = False) -> list[TopicView]:
    """The same with figures as counted last, where counting takes long: for pages."""
    with reading() as db:
        topics = _topics_of(db, fanpage_id, archived)
        return _in_order(topics, *known_figures(db, [topic.id or 0 for topic in topics], now))


def list_topic_names(fanpage_id: int) -> list[TopicName]:
    """A fanpage's topics in use in the order of their names, without any figures."""
    statement = select(col(Topic.id), col(Topic.name)).where(
        col(Topic.fanpage_id) == fanpage_id, col(Topic.archived_at).is_(None)
    )
    with reading() as db:
        found = [TopicName(key or 0, name) for key, name in db.execute(statement)]
    return sorted(found, key=lambda topic: sort_key(topic.name))


def has_opt_ins(fanpage_id: int) -> bool:
    """Whether anybody has ever agreed to anything."""
    with reading() as db:
        found = db.execute(select(col(OptIn.id)).where(col(OptIn.fanpage_id) == fanpage_id).limit(1))
        return found.first() is not None


def get_topic(topic_id: int, *, now: datetime) -> TopicView:
    with reading() as db:
        return _view(_topic(db, topic_id), count_figures(db, [topic_id], now))


def get_counted_topic(topic_id: int, *, now: datetime) -> TopicView:
    """The same with figures as counted last, where counting takes long: for pages."""
    with reading() as db:
        return _view(_topic(db, topic_id), *known_figures(db, [topic_id], now))


def get_topic_name(topic_id: int) -> str:
    with reading() as db:
        return _topic(db, topic_id).name


def find_topic(fanpage_id: int, name: str) -> int | None:
    """The id of the topic with this name, compared as `create_topic` compares names."""
    topics = select(col(Topic.name), col(Topic.id)).where(col(Topic.fanpage_id) == fanpage_id)
    with reading() as db:
        names = dict(db.execute(topics.order_by(col(Topic.id))).all())
    wanted = name_key(name)
    alike = (topic_id for known, topic_id in names.items() if name_key(known) == wanted)
    return names.get(normalise_name(name)) or next(alike, None)


def _topic(db: Session, topic_id: int) -> Topic:
    topic = db.get(Topic, topic_id)
    if topic is None:
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    return topic


def _topics_of(db: Session, fanpage_id: int, archived: bool) -> Sequence[Topic]:
    put_away = col(Topic.archived_at).is_not(None)
    chosen = select(Topic).where(col(Topic.fanpage_id) == fanpage_id, put_away if archived else ~put_away)
    return db.execute(chosen).scalars().all()


def _in_order(
    topics: Sequence[Topic], figures: dict[int, dict[str, int]], counted_at: datetime | None = None
) -> list[TopicView]:
    views = (_view(topic, figures, counted_at) for topic in topics)
    return sorted(views, key=lambda topic: sort_key(topic.name))


def _view(topic: Topic, figures: dict[int, dict[str, int]], counted_at: datetime | None = None) -> TopicView:
    topic_id = topic.id or 0
    return TopicView(
        topic_id,
        topic.fanpage_id,
        topic.name,
        topic.description,
        topic.archived_at,
        topic.created_at,
        **figures.get(topic_id, {}),
        counted_at=counted_at,
    )
