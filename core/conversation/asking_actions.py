"""What staff decide about asking customers of a topic again."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.conversation.asking_wordings import wordings_of
from core.db.engine import transaction
from core.db.tables import Topic
from core.errors import N_, Invalid, NotFound, WrongState, problem


def set_asking(
    by: Actor, topic_id: int, *, asks_again: bool, message_id: int | None = None, now: datetime
) -> None:
    """Turn the topic's rule on or off, and choose the message whose request asks again (None: the newest that
    asks about the topic)."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Topic, topic_id), now=now)
        topic = db.get(Topic, topic_id, with_for_update={"key_share": True})
        if topic is None:
            raise NotFound(N_("There is no topic {id}."), id=topic_id)
        _refuse(db, topic, asks_again, message_id)
        if (topic.asks_again, topic.ask_message_id) == (asks_again, message_id):
            return
        before = {"asks_again": topic.asks_again, "message_id": topic.ask_message_id}
        topic.asks_again, topic.ask_message_id, topic.updated_at = asks_again, message_id, now
        record(
            db,
            by,
            "topic.set_asking",
            now=now,
            fanpage_id=topic.fanpage_id,
            subject_id=topic_id,
            subject=topic.name,
            before=before,
            after={"asks_again": asks_again, "message_id": message_id},
        )


def _refuse(db: Session, topic: Topic, asks_again: bool, message_id: int | None) -> None:
    if topic.archived_at is not None:
        raise WrongState(N_("This topic is archived; restore it first."))
    asking = {each.message_id for each in wordings_of(db, topic.id or 0)}
    if asks_again and not asking:
        words = N_("No message asks about this topic yet: insert its request (OTNR) into one first.")
        raise Invalid([problem("message_id", words)])
    if message_id is not None and message_id not in asking:
        words = N_("This message no longer asks about the topic; choose another one.")
        raise Invalid([problem("message_id", words)])
