"""Reads about asking again: how a topic asks, and which requests the governor has withheld."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core.conversation.asking_wordings import Wording, wordings_of
from core.conversation.entry_kinds.names import EntryKind
from core.db.engine import reading
from core.db.tables import Request, Topic, WithheldRequest
from core.errors import N_, NotFound

LATELY = timedelta(days=30)


@dataclass(frozen=True)
class TopicAsking:
    """How a topic asks customers again, and what came of it within `LATELY`."""

    asks_again: bool
    message_id: int | None  # whose request asks again; None: the newest of the wordings
    wordings: tuple[Wording, ...]  # the newest first
    asked: int = 0  # requests by the rule and by buttons that ask again
    agreed: int = 0  # of those requests
    withheld: Mapping[str, int] = field(default_factory=dict)  # asking_rules.Withheld: how often


@dataclass(frozen=True)
class WithheldView:
    topic: str
    reason: str
    entry_kind: str
    times: int
    last_at: datetime


def topic_asking(topic_id: int, *, now: datetime) -> TopicAsking:
    """How a topic asks again. Raises NotFound."""
    again = (
        col(Request.topic_id) == topic_id,
        col(Request.entry_kind).in_([EntryKind.AGAIN, EntryKind.RULE]),
        col(Request.created_at) > now - LATELY,
    )
    with reading() as db:
        topic = db.get(Topic, topic_id)
        if topic is None:
            raise NotFound(N_("There is no topic {id}."), id=topic_id)
        asked, agreed = db.execute(
            select(func.count(), func.count(col(Request.tapped_at))).where(*again)
        ).one()
        return TopicAsking(
            topic.asks_again,
            topic.ask_message_id,
            wordings_of(db, topic_id),
            asked,
            agreed,
            _withheld(db, col(WithheldRequest.topic_id) == topic_id, now),
        )


def list_withheld(customer_id: int, *, limit: int = 50) -> list[WithheldView]:
    """The requests that one customer was not sent, the latest first."""
    chosen = (
        select(WithheldRequest, col(Topic.name))
        .join(Topic, col(Topic.id) == col(WithheldRequest.topic_id))
        .where(col(WithheldRequest.customer_id) == customer_id)
        .order_by(col(WithheldRequest.last_at).desc())
        .limit(limit)
    )
    with reading() as db:
        return [
            WithheldView(topic, row.reason, row.entry_kind, row.times, row.last_at)
            for row, topic in db.execute(chosen)
        ]


def count_withheld(fanpage_id: int, *, now: datetime) -> Mapping[str, int]:
    """How many requests of a fanpage were withheld within `LATELY`, by reason."""
    with reading() as db:
        return _withheld(db, col(WithheldRequest.fanpage_id) == fanpage_id, now)


def _withheld(db: Session, whose: ColumnElement[bool], now: datetime) -> Mapping[str, int]:
    counted = (
        select(col(WithheldRequest.reason), func.sum(WithheldRequest.times))
        .where(whose, col(WithheldRequest.day) > f"{now - LATELY:%Y-%m-%d}")
        .group_by(col(WithheldRequest.reason))
    )
    return {reason: int(times) for reason, times in db.execute(counted)}
