"""Archiving a topic, with what still uses it: messages that ask about it, broadcasts planned on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import transitions
from core.broadcasts import versions as broadcast_versions
from core.broadcasts.rows import record as record_broadcast
from core.broadcasts.rules import BroadcastState
from core.broadcasts.transitions import Transition
from core.consent import topic_rows
from core.conversation import message_rows, references, versions
from core.conversation.blocks.registry import asks_for_opt_in
from core.conversation.drafts import BlockDraft
from core.db.engine import reading, transaction
from core.db.tables import Block, Broadcast, Message, Topic
from core.errors import N_, WrongState
from core.text.collation import sort_key

_AT_WORK = (BroadcastState.SENDING, BroadcastState.PAUSED)


@dataclass(frozen=True)
class Use:
    """A message or broadcast by its name."""

    id: int
    name: str


@dataclass(frozen=True)
class Uses:
    """What still uses a topic, and so what archiving it does to each."""

    asking: tuple[Use, ...] = ()  # messages that lose their OTNR about it
    only_asking: tuple[Use, ...] = ()  # messages that say nothing else: they are archived with it
    scheduled: tuple[Use, ...] = ()  # broadcasts that go back to draft
    at_work: tuple[Use, ...] = ()  # broadcasts that are being sent: it cannot be archived before their end


def find_uses(topic_id: int) -> Uses:
    with reading() as db:
        return _uses(db, topic_id)


def archive_topic(by: Actor, topic_id: int, *, seen: Uses | None = None, now: datetime) -> None:
    """Archive a topic: it is offered for nothing new, nothing asks about it, and its opt-ins are kept.

    `seen` is what was said to happen: if there is more by now, nothing is done. Putting a broadcast back to
    draft takes the right to send.
    """
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Topic, topic_id), now=now)
        _lock_scheduled(db, topic_id)  # before the topic, as scheduling does
        topic = topic_rows.get_topic(db, topic_id, lock=True)  # scheduling a broadcast on it waits for this
        uses = _uses(db, topic_id)
        if seen is not None and seen != uses:
            raise WrongState(N_("What uses this topic has changed in the meantime; check it again."))
        if uses.at_work:
            words = N_("The broadcast “{broadcast}” still uses this topic: let it finish or cancel it first.")
            raise WrongState(words, broadcast=uses.at_work[0].name)
        if uses.scheduled:
            authorise(db, by, Permission.SEND, of(Topic, topic_id), now=now)
        for broadcast in uses.scheduled:
            _put_back(db, by, broadcast.id, now)
        for message in uses.asking:
            _stop_asking(db, by, message.id, topic_id, now)
        for message in uses.only_asking:
            _archive_message(db, by, message.id, now)
        topic_rows.set_archived(db, by, topic, now)


def _uses(db: Session, topic_id: int) -> Uses:
    asking: list[Use] = []
    only: list[Use] = []
    for message in _asking(db, topic_id):
        blocks = message_rows.blocks_of(db, message.id)
        (asking if _without(blocks, topic_id) else only).append(message)
    return Uses(
        tuple(asking),
        tuple(only),
        tuple(_broadcasts(db, topic_id, (BroadcastState.SCHEDULED,))),
        tuple(_broadcasts(db, topic_id, _AT_WORK)),
    )


def _asking(db: Session, topic_id: int) -> list[Use]:
    statement = (
        select(col(Message.id), col(Message.name), col(Block.kind))
        .join(Block, col(Block.message_id) == col(Message.id))
        .where(col(Block.topic_id) == topic_id, col(Message.archived_at).is_(None))
    )
    found = {Use(row.id, row.name) for row in db.execute(statement) if asks_for_opt_in(row.kind)}
    return sorted(found, key=lambda use: (sort_key(use.name), use.id))


def _without(blocks: Sequence[BlockDraft], topic_id: int) -> list[BlockDraft]:
    """What is left of a message that asks about the topic no more."""
    return [each for each in blocks if not (asks_for_opt_in(each.kind) and each.topic_id == topic_id)]


def _broadcasts(db: Session, topic_id: int, states: Sequence[BroadcastState]) -> list[Use]:
    statement = select(col(Broadcast.id), col(Broadcast.name)).where(
        col(Broadcast.topic_id) == topic_id, col(Broadcast.state).in_(states)
    )
    return [Use(row.id, row.name) for row in db.execute(statement.order_by(col(Broadcast.id)))]


def _lock_scheduled(db: Session, topic_id: int) -> None:
    scheduled = select(col(Broadcast.id)).where(
        col(Broadcast.topic_id) == topic_id, col(Broadcast.state) == BroadcastState.SCHEDULED
    )
    db.execute(scheduled.order_by(col(Broadcast.id)).with_for_update(key_share=True))


def _put_back(db: Session, by: Actor, broadcast_id: int, now: datetime) -> None:
    broadcast = transitions.move(db, broadcast_id, Transition.UNSCHEDULE, now)
    broadcast_versions.end_approval(broadcast, by, now)
    record_broadcast(db, by, "broadcast.unschedule", broadcast, now=now)


def _stop_asking(db: Session, by: Actor, message_id: int, topic_id: int, now: datetime) -> None:
    """A version without the question. A draft of the message is left as it is: it is asked for another topic
    when it is published."""
    row = versions.get_row(db, message_id, lock=True)
    draft = row.draft
    blocks = _without(message_rows.blocks_of(db, message_id), topic_id)
    number = versions.publish(db, row, blocks, versions.entries_of(db, message_id), by, now)
    row.draft = draft
    versions.note_change(row, by, now, ("blocks",))
    message_rows.record(db, by, "message.publish", row, now=now, version=number)


def _archive_message(db: Session, by: Actor, message_id: int, now: datetime) -> None:
    row = versions.get_row(db, message_id, lock=True)
    kept = message_rows.StoredMessage(message_id, row.fanpage_id, row.name)
    references.refuse_while_used(db, kept, now=now)
    message_rows.set_archived(db, message_id, now)
    message_rows.record(db, by, "message.archive", row, now=now)
