"""What staff do with whole messages: publish one at once, archive, copy. Drafts: draft_actions.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.conversation import message_rows, references, versions
from core.conversation.draft_checks import cleaned, find_problems_in
from core.conversation.drafts import BlockDraft, EntryDraft, MessageDraft
from core.conversation.message_rows import record
from core.conversation.rules import clean_block
from core.conversation.stored_content import to_stored
from core.conversation.translation_actions import insert_translation
from core.conversation.translations import translations_of
from core.conversation.versions import Draft, draft_of, get_row
from core.db.engine import transaction
from core.db.tables import Fanpage, Message
from core.errors import Problem, refuse_invalid


def save_message(
    by: Actor,
    fanpage_id: int,
    *,
    name: str,
    blocks: list[BlockDraft],
    entry_points: list[EntryDraft],
    translations: Mapping[str, Sequence[BlockDraft]] | None = None,
    now: datetime,
) -> int:
    """Make a message and publish it at once, as message files and the demo do, with what it says in other
    languages (`en`). Returns its id."""
    name, blocks, entry_points = cleaned(MessageDraft(name, blocks, entry_points))
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        refuse_invalid(find_problems_in(db, Draft(0, fanpage_id, name, blocks, entry_points)))
        row = get_row(db, message_rows.insert_message(db, fanpage_id, name, now))
        versions.publish(db, row, blocks, entry_points, by, now)
        record(db, by, "message.create", row, now=now)
        for language, said in (translations or {}).items():
            _publish_translation(db, by, row, language, said, now)
        return row.id or 0


def _publish_translation(
    db: Session, by: Actor, original: Message, language: str, said: Sequence[BlockDraft], now: datetime
) -> None:
    blocks = [clean_block(block) for block in said]
    draft = Draft(0, original.fanpage_id, original.name, blocks, [])
    refuse_invalid(
        [
            Problem(f"translations.{language}.{one.field}", one.template, one.values)
            for one in find_problems_in(db, draft)
        ]
    )
    row = insert_translation(db, original, language, now)
    versions.publish(db, row, blocks, [], by, now)


def archive_message(by: Actor, message_id: int, *, now: datetime) -> None:
    """Put a message away: nothing starts it any more. Archiving it again changes nothing."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Message, message_id), now=now)
        row = get_row(db, message_id, lock=True)  # who schedules a broadcast to it waits
        kept = message_rows.StoredMessage(message_id, row.fanpage_id, row.name)
        references.refuse_while_used(db, kept, now=now)
        if message_rows.set_archived(db, message_id, now):
            record(db, by, "message.archive", row, now=now)


def copy_message(by: Actor, message_id: int, *, now: datetime) -> int:
    """A draft with the same blocks, in each of its languages. Entry points stay: each leads to one message
    only."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Message, message_id), now=now)
        source = draft_of(db, get_row(db, message_id))
        name = message_rows.free_name(db, source.fanpage_id, source.name)
        row = get_row(db, message_rows.insert_message(db, source.fanpage_id, name, now))
        row.draft = to_stored(source.blocks, [])
        for each in translations_of(db, message_id):
            copied = insert_translation(db, row, each.language or "", now)
            copied.draft = to_stored(draft_of(db, each).blocks, [])
        record(db, by, "message.copy", row, now=now)
        return row.id or 0
