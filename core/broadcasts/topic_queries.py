"""What a topic has been used for: the messages that ask about it, and its broadcasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from core.broadcasts.audience_builder import so_far
from core.consent import eligibility
from core.consent.rules import OptInState
from core.consent.topic_figures import large_counts
from core.conversation.blocks.registry import kinds_that_ask
from core.db.engine import reading
from core.db.tables import Block, Broadcast, Message, OptIn
from core.text.collation import sort_key


@dataclass(frozen=True)
class Named:
    id: int
    name: str


@dataclass(frozen=True)
class TopicBroadcast:
    id: int
    name: str
    state: str
    audience: int
    started_at: datetime | None


@dataclass(frozen=True)
class TopicProgress:
    """What a topic has been used for, and who must be asked anew. How far its requests lead: core/funnel."""

    need_asking: int  # customers who were notified and hold nothing for the next time
    messages: tuple[Named, ...]  # those that ask for this topic
    broadcasts: tuple[TopicBroadcast, ...]  # the latest ones


def topic_progress(topic_id: int, *, now: datetime) -> TopicProgress:
    with reading() as db:
        return TopicProgress(
            need_asking=_known_need(db, topic_id, now),
            messages=_asking_messages(db, topic_id),
            broadcasts=_latest_broadcasts(db, topic_id),
        )


def _known_need(db: Session, topic_id: int, now: datetime) -> int:
    """As the worker counted it last, where counting takes long."""
    kept = large_counts(db, [topic_id])
    return kept[0].need_asking if kept else count_need(db, topic_id, now)


def count_need(db: Session, topic_id: int, now: datetime) -> int:
    """How many customers were notified and hold nothing for the next time."""
    of_topic = select(col(OptIn.customer_id)).where(
        col(OptIn.topic_id) == topic_id, col(OptIn.customer_id).is_not(None)
    )
    may_be_used = or_(col(OptIn.state) == OptInState.RESERVED, eligibility.is_usable(now))
    notified = of_topic.where(col(OptIn.state) == OptInState.SPENT).except_(of_topic.where(may_be_used))
    return int(db.execute(select(func.count()).select_from(notified.subquery())).scalar_one())


def _asking_messages(db: Session, topic_id: int) -> tuple[Named, ...]:
    statement = (
        select(col(Message.id), col(Message.name))
        .join(Block, col(Block.message_id) == col(Message.id))
        .where(
            col(Block.topic_id) == topic_id,
            col(Block.kind).in_(kinds_that_ask()),
            col(Message.archived_at).is_(None),
            col(Message.translation_of_id).is_(None),
        )
        .distinct()
    )
    found = sorted(db.execute(statement), key=lambda row: sort_key(row[1]))
    return tuple(Named(id or 0, name) for id, name in found)


def _latest_broadcasts(db: Session, topic_id: int) -> tuple[TopicBroadcast, ...]:
    statement = (
        select(Broadcast, so_far())
        .where(col(Broadcast.topic_id) == topic_id)
        .order_by(col(Broadcast.id).desc())
    )
    return tuple(
        TopicBroadcast(row.id or 0, row.name, row.state, people, row.started_at)
        for row, people in db.execute(statement.limit(5))
    )
