"""The rows of messages, their blocks and entry points: read and written inside an action's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.rules import Actor
from core.consent.stop_words import DEFAULT
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.entry_kinds.registry import written_kinds
from core.conversation.entry_points import entry_key
from core.conversation.rules import NAME_LIMIT
from core.db.tables import Block, EntryPoint, Fanpage, Message
from core.errors import N_, Invalid, problem
from core.text.utf16_units import cut


@dataclass(frozen=True)
class StoredMessage:
    """What actions have to know of a message's row."""

    id: int
    fanpage_id: int
    name: str


def insert_message(db: Session, fanpage_id: int, name: str, now: datetime) -> int:
    values = {"fanpage_id": fanpage_id, "name": name, "created_at": now, "updated_at": now}
    return int(db.execute(insert(Message).values(values).returning(col(Message.id))).scalar_one())


def set_archived(db: Session, message_id: int, now: datetime) -> bool:
    """Archive a message with its translations, and free its keywords and links for others; False when it was
    archived before."""
    statement = update(Message).where(col(Message.id) == message_id, col(Message.archived_at).is_(None))
    if not _changed(db.execute(statement.values(archived_at=now, updated_at=now))):
        return False
    db.execute(delete(EntryPoint).where(col(EntryPoint.message_id) == message_id))
    translations = update(Message).where(
        col(Message.translation_of_id) == message_id, col(Message.archived_at).is_(None)
    )
    db.execute(translations.values(archived_at=now, updated_at=now))
    return True


def blocks_of(db: Session, message_id: int) -> list[BlockDraft]:
    statement = select(col(Block.kind), col(Block.content), col(Block.topic_id))
    rows = db.execute(statement.where(col(Block.message_id) == message_id).order_by(col(Block.position)))
    return [BlockDraft(*row) for row in rows]


def replace_blocks(db: Session, message_id: int, blocks: Sequence[BlockDraft]) -> None:
    db.execute(delete(Block).where(col(Block.message_id) == message_id))
    rows = [
        {
            "message_id": message_id,
            "position": position,
            "kind": block.kind,
            "content": block.content,
            "topic_id": block.topic_id,
        }
        for position, block in enumerate(blocks)
    ]
    if rows:
        db.execute(insert(Block), rows)


def replace_entry_points(
    db: Session, fanpage_id: int, message_id: int, entry_points: Sequence[EntryDraft], now: datetime
) -> None:
    db.execute(delete(EntryPoint).where(col(EntryPoint.message_id) == message_id))
    rows = [
        {
            "fanpage_id": fanpage_id,
            "message_id": message_id,
            "kind": entry.kind,
            "match": entry.match,
            "value": entry.value,
            "folded": entry_key(entry.kind, entry.value),
            "created_at": now,
        }
        for entry in entry_points
    ]
    try:
        if rows:
            db.execute(insert(EntryPoint), rows)
    except IntegrityError as clash:  # another operator's save came between our check and this line
        raise Invalid(
            [problem("entry_points", N_("Another message has just taken one of these; check them again."))]
        ) from clash


def stop_words_of(db: Session, fanpage_id: int) -> list[str]:
    """The fanpage's own stop words, or the usual ones."""
    found = db.execute(select(col(Fanpage.stop_words)).where(col(Fanpage.id) == fanpage_id))
    return found.scalar_one_or_none() or list(DEFAULT)


def keywords_of(db: Session, fanpage_id: int) -> dict[str, str]:
    """What customers of the fanpage may write, with the names of the messages that they start."""
    statement = (
        select(col(EntryPoint.value), col(Message.name))
        .join(Message, col(Message.id) == col(EntryPoint.message_id))
        .where(col(EntryPoint.fanpage_id) == fanpage_id, col(EntryPoint.kind).in_(written_kinds()))
    )
    return {row.value: row.name for row in db.execute(statement)}


def owners_of(db: Session, fanpage_id: int, *, but: int | None) -> dict[tuple[str, str], str]:
    """The fanpage's entry points, by kind and key, with the names of the messages that have them."""
    statement = (
        select(col(EntryPoint.kind), col(EntryPoint.value), col(Message.name))
        .join(Message, col(Message.id) == col(EntryPoint.message_id))
        .where(col(EntryPoint.fanpage_id) == fanpage_id, col(EntryPoint.message_id) != (but or 0))
    )
    return {(row.kind, entry_key(row.kind, row.value)): row.name for row in db.execute(statement)}


def free_name(db: Session, fanpage_id: int, name: str) -> str:
    """The name if no message has it, else the first of "Welcome (2)", "Welcome (3)" … that none has."""
    statement = select(col(Message.name)).where(col(Message.fanpage_id) == fanpage_id)
    taken = set(db.execute(statement).scalars())
    numbered = (f"{cut(name, NAME_LIMIT - 6)} ({number})" for number in count(2))
    return next(tried for tried in chain([name], numbered) if tried not in taken)


def record(db: Session, by: Actor, verb: str, about: Message, *, now: datetime, **detail: object) -> None:
    """A line in the activity log about a message."""
    activity_log.record(
        db,
        by,
        verb,
        now=now,
        fanpage_id=about.fanpage_id,
        subject_id=about.id,
        subject=about.name,
        **detail,
    )


def _changed(result: object) -> bool:
    return isinstance(result, CursorResult) and result.rowcount > 0
