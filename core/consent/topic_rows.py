"""The rows of topics, inside an action's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts import activity_log
from core.accounts.rules import Actor
from core.db.tables import Topic
from core.errors import N_, NotFound


def get_topic(db: Session, topic_id: int, *, lock: bool = False) -> Topic:
    topic = db.get(Topic, topic_id, with_for_update={"key_share": True} if lock else None)
    if topic is None:
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    return topic


def set_archived(db: Session, by: Actor, topic: Topic, now: datetime) -> None:
    """Archive a topic; a second time changes nothing."""
    if topic.archived_at is None:
        topic.archived_at = topic.updated_at = now
        record(db, by, "topic.archive", topic, now)


def record(db: Session, by: Actor, verb: str, topic: Topic, now: datetime, **detail: object) -> None:
    """A line in the activity log about a topic."""
    activity_log.record(
        db,
        by,
        verb,
        now=now,
        fanpage_id=topic.fanpage_id,
        subject_id=topic.id,
        subject=topic.name,
        **detail,
    )
