"""Whether a broadcast may go out as it is: its content, its topic, and what its buttons lead to.

A draft may be incomplete. What is missing is shown by the dry run and refused when it is scheduled or
launched.
"""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from core.broadcasts import draft_rules
from core.conversation import references
from core.conversation.asking_wordings import wordings_of
from core.conversation.blocks.broadcast_answers import topics_after
from core.conversation.blocks.registry import kind_of
from core.conversation.drafts import BlockDraft
from core.db.engine import reading
from core.db.tables import Broadcast, Topic
from core.errors import N_, Invalid, NotFound, Problem, problem

ARCHIVED_TOPIC = N_("The topic “{name}” is archived; restore it or choose another one.")


def refuse_unready(db: Session, broadcast: Broadcast) -> None:
    """Raise Invalid when something is missing. The topic and the messages that it needs stay locked until the
    end of the transaction, so that nobody archives them meanwhile."""
    found = _problems(db, broadcast.topic_id, broadcast.content, lock=True)
    if found:
        raise Invalid(found)


def find_problems(topic_id: int, content: dict[str, Any]) -> list[Problem]:
    """What `refuse_unready` would say of a broadcast with this topic and content."""
    with reading() as db:
        return _problems(db, topic_id, content, lock=False)


def open_topic(db: Session, topic_id: int) -> Topic:
    """The topic for a new broadcast; raises NotFound or, when it is archived, Invalid."""
    topic = db.get(Topic, topic_id)
    if topic is None:
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    if found := _about_topic(topic):
        raise Invalid(found)
    return topic


def check_content(db: Session, fanpage_id: int, content: dict[str, Any], *, lock: bool) -> list[Problem]:
    """Check the content as a block of a message is checked: by itself, and what its buttons lead to."""
    found = draft_rules.check_content(content)
    if found:
        return found
    block = BlockDraft(content["kind"], content)
    found = references.check_block_references(db, fanpage_id, block, lock=lock)
    return found or _without_wording(db, content)


def _problems(db: Session, topic_id: int, content: dict[str, Any], *, lock: bool) -> list[Problem]:
    topic = db.get_one(Topic, topic_id, with_for_update={"read": True} if lock else None)
    return _about_topic(topic) + check_content(db, topic.fanpage_id, content, lock=lock)


def _without_wording(db: Session, content: dict[str, Any]) -> list[Problem]:
    """A button that asks again needs a message whose request it sends."""
    asked = kind_of(content["kind"]).asked_topics(content) | topics_after(content)
    words = N_(
        "This button asks customers again, but no message asks about “{topic}”: insert its request "
        "(OTNR) into one."
    )
    return [
        problem("buttons", words, topic=db.get_one(Topic, topic_id).name)
        for topic_id in sorted(asked)
        if not wordings_of(db, topic_id)
    ]


def _about_topic(topic: Topic) -> list[Problem]:
    return [problem("topic_id", ARCHIVED_TOPIC, name=topic.name)] if topic.archived_at else []
