"""The versions of a message: its draft, what was published, and the transaction's side of both.

The bot sends the version that was published last. Its blocks and entry points are rows of their own; the
draft and each version keep theirs as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from core.accounts import concurrent_edits
from core.accounts.rules import Actor
from core.conversation import message_rows
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.stored_content import blocks_in, entries_in, to_stored
from core.db.tables import EntryPoint, Message, MessageVersion
from core.errors import N_, Change, Changed, NotFound, WrongState


@dataclass(frozen=True)
class Draft:
    """A message as it is being written; without unpublished changes it says what the bot sends."""

    id: int
    fanpage_id: int
    name: str
    blocks: list[BlockDraft]
    entry_points: list[EntryDraft]
    version: int = 1  # rises with every change
    published: int = 0  # the number of the version that the bot sends; 0: none yet
    has_changes: bool = False  # something is written that was not published
    is_archived: bool = False
    changes: tuple[Change, ...] = ()  # the last change of each field, the earliest first
    translation_of_id: int | None = None
    language: str | None = None  # of a translation


def get_row(db: Session, message_id: int, *, lock: bool = False) -> Message:
    row = db.get(Message, message_id, with_for_update={"key_share": True} if lock else None)
    if row is None:
        raise NotFound(N_("There is no such message."))
    return row


def get_open_row(db: Session, message_id: int) -> Message:
    """The locked row of a message that can be written."""
    row = get_row(db, message_id, lock=True)
    if row.archived_at is not None:
        raise WrongState(N_("This message was archived in the meantime; restore it before you change it."))
    return row


def draft_of(db: Session, row: Message) -> Draft:
    message_id = row.id or 0
    if row.draft is None:
        blocks, entries = message_rows.blocks_of(db, message_id), entries_of(db, message_id)
    else:
        blocks, entries = blocks_in(row.draft), entries_in(row.draft)
    return Draft(
        id=message_id,
        fanpage_id=row.fanpage_id,
        name=row.name,
        blocks=blocks,
        entry_points=entries,
        version=row.version,
        published=row.published,
        has_changes=row.draft is not None,
        is_archived=row.archived_at is not None,
        changes=tuple(concurrent_edits.last_changes(row.changes)),
        translation_of_id=row.translation_of_id,
        language=row.language,
    )


def entries_of(db: Session, message_id: int) -> list[EntryDraft]:
    """What starts the message today."""
    statement = select(col(EntryPoint.kind), col(EntryPoint.match), col(EntryPoint.value))
    found = statement.where(col(EntryPoint.message_id) == message_id).order_by(col(EntryPoint.id))
    return [EntryDraft(*row) for row in db.execute(found)]


def is_sent(db: Session, draft: Draft) -> bool:
    """Whether the bot sends just this today: then there is nothing to publish."""
    blocks = message_rows.blocks_of(db, draft.id)
    return blocks == draft.blocks and entries_of(db, draft.id) == draft.entry_points


def note_change(row: Message, by: Actor, now: datetime, fields: Sequence[str]) -> None:
    """Remember who changed these fields of the draft."""
    row.version += 1
    row.changes = concurrent_edits.remembered(row.changes, fields, version=row.version, by=by.name, at=now)
    row.updated_at = now


def refuse_if_changed(row: Message, version: int | None) -> None:
    """Raise unless `version`, the one that somebody looked at, is the latest; None names none."""
    if version is not None and version != row.version:
        raise Changed([c for c in concurrent_edits.last_changes(row.changes) if c.version > version])


def publish(
    db: Session,
    row: Message,
    blocks: Sequence[BlockDraft],
    entry_points: Sequence[EntryDraft],
    by: Actor,
    now: datetime,
) -> int:
    """Let the bot send this from now on, and keep it as the next version, whose number is returned."""
    message_id = row.id or 0
    message_rows.replace_blocks(db, message_id, blocks)
    message_rows.replace_entry_points(db, row.fanpage_id, message_id, entry_points, now)
    row.published += 1
    row.draft, row.updated_at = None, now
    version = {
        "message_id": message_id,
        "number": row.published,
        "content": to_stored(blocks, entry_points),
        "published_by": by.name,
        "published_at": now,
    }
    db.execute(insert(MessageVersion).values(version))
    return row.published


def content_of(db: Session, message_id: int, number: int) -> dict[str, Any] | None:
    """What a published version says, as it is kept; None when there is no such version."""
    statement = select(col(MessageVersion.content)).where(
        col(MessageVersion.message_id) == message_id, col(MessageVersion.number) == number
    )
    return db.execute(statement).scalar_one_or_none()
