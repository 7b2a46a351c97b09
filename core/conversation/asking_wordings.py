"""The requests in a fanpage's messages by which customers are asked about a topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.conversation.blocks.kind import AskingKind
from core.conversation.blocks.registry import kind_of, kinds_that_ask
from core.conversation.translations import id_for_customer
from core.db.tables import Block, Message, Topic


@dataclass(frozen=True)
class Wording:
    """A message that asks about a topic, and the promise that its request makes."""

    message_id: int
    message: str
    promise: str


def wordings_of(db: Session, topic_id: int) -> tuple[Wording, ...]:
    """The requests about a topic in messages that are in use, the newest first; one of each message."""
    found: dict[int, Wording] = {}
    for block, name in db.execute(_asking_blocks(topic_id)):
        kind = kind_of(block.kind)
        if isinstance(kind, AskingKind) and block.message_id not in found:
            found[block.message_id] = Wording(block.message_id, name, kind.promise(block.content).title)
    return tuple(found.values())


def find_asking_block(db: Session, topic: Topic, customer_id: int) -> tuple[int, Block] | None:
    """The request by which a topic asks this customer again, and its message: that of the message chosen for
    the topic, else the newest; in the customer's language, if that asks about the topic, too."""
    is_chosen = col(Block.message_id) == (topic.ask_message_id or 0)
    blocks = _asking_blocks(topic.id or 0).order_by(None)
    newest = blocks.order_by(is_chosen.desc(), col(Block.message_id).desc(), col(Block.position)).limit(1)
    block = db.execute(newest).scalars().first()
    if block is None:
        return None
    theirs = id_for_customer(db, block.message_id, customer_id)
    translated = _of_topic(topic.id or 0).where(col(Block.message_id) == theirs).limit(1)
    return block.message_id, db.execute(translated).scalars().first() or block


def _asking_blocks(topic_id: int) -> Any:
    return _of_topic(topic_id).where(col(Message.translation_of_id).is_(None))


def _of_topic(topic_id: int) -> Any:
    return (
        select(Block, col(Message.name))
        .join(Message, col(Message.id) == col(Block.message_id))
        .where(
            col(Block.topic_id) == topic_id,
            col(Block.kind).in_(kinds_that_ask()),
            col(Message.archived_at).is_(None),
        )
        .order_by(col(Block.message_id).desc(), col(Block.position))
    )
