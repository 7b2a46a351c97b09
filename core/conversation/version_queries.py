"""What was published of a message, and what leads to it from outside of messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.conversation import references
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.stored_content import blocks_in, entries_in
from core.db.engine import reading
from core.db.tables import Message, MessageVersion


@dataclass(frozen=True)
class VersionView:
    """A message as it was published at some time."""

    number: int
    published_by: str
    published_at: datetime
    blocks: tuple[BlockDraft, ...]
    entry_points: tuple[EntryDraft, ...]


def list_versions(message_id: int) -> list[VersionView]:
    """What was published of a message, the latest first."""
    with reading() as db:
        statement = select(MessageVersion).where(col(MessageVersion.message_id) == message_id)
        rows = db.execute(statement.order_by(col(MessageVersion.number).desc())).scalars()
        return [
            VersionView(
                row.number,
                row.published_by,
                row.published_at,
                tuple(blocks_in(row.content)),
                tuple(entries_in(row.content)),
            )
            for row in rows
        ]


def is_led_to_from_outside(message_id: int, *, now: datetime) -> bool:
    """Whether a broadcast's button, the fanpage's menu or a suggested question leads to this message."""
    with reading() as db:
        row = db.get(Message, message_id)
        if row is None:
            return False
        if references.is_in_profile(db, row.fanpage_id, message_id):
            return True
        return bool(references.broadcasts_leading_to(db, row.fanpage_id, message_id, now=now))
