"""What staff do with messages: save, archive, copy."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts.activity_log import record
from core.accounts.authorising import authorise
from core.accounts.rules import Actor, Permission
from core.conversation import message_rows, references
from core.conversation.entry_points import clean_entry
from core.conversation.rules import BlockDraft as BlockDraft
from core.conversation.rules import EntryDraft as EntryDraft
from core.conversation.rules import check_against_stop_words, check_message, check_taken, clean_block
from core.db.engine import transaction
from core.errors import Invalid, Problem
from core.text.normalise import normalise_name


def save_message(
    by: Actor,
    fanpage_id: int,
    *,
    message_id: int | None = None,
    name: str,
    blocks: list[BlockDraft],
    entry_points: list[EntryDraft],
    now: datetime,
    seen_at: datetime | None = None,
) -> int:
    """Create a message, or put new blocks and entry points in place of its old ones.

    `seen_at` is the `updated_at` the change is based on: a change by somebody else meanwhile is refused.
    """
    name, blocks = normalise_name(name), [clean_block(block) for block in blocks]
    entry_points = [clean_entry(entry) for entry in entry_points]
    _refuse(check_message(name, blocks, entry_points))
    with transaction() as db:
        authorise(db, by, Permission.EDIT, now=now)
        _refuse(references.check_references(db, fanpage_id, blocks))
        _refuse(check_taken(entry_points, message_rows.owners_of(db, fanpage_id, but=message_id)))
        _refuse(check_against_stop_words(entry_points, message_rows.stop_words_of(db, fanpage_id)))
        if message_id is None:
            verb, saved_id = "message.create", message_rows.insert_message(db, fanpage_id, name, now)
        else:
            verb, saved_id = "message.change", message_id
            message_rows.update_message(db, fanpage_id, message_id, name, now=now, seen_at=seen_at)
        message_rows.replace_blocks(db, saved_id, blocks)
        message_rows.replace_entry_points(db, fanpage_id, saved_id, entry_points, now)
        _record(db, by, verb, message_rows.StoredMessage(saved_id, fanpage_id, name), now)
    return saved_id


def archive_message(by: Actor, message_id: int, *, now: datetime) -> None:
    """Put a message away: nothing starts it any more. Archiving it again changes nothing."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, now=now)
        kept = message_rows.get_stored(db, message_id, lock=True)  # who schedules a broadcast to it waits
        references.refuse_while_led_to(db, kept)
        references.refuse_while_in_profile(db, kept)
        references.refuse_while_broadcast_leads(db, kept, now=now)
        if message_rows.set_archived(db, message_id, now):
            _record(db, by, "message.archive", kept, now)


def copy_message(by: Actor, message_id: int, *, now: datetime) -> int:
    """A second message with the same blocks. Entry points stay: each leads to one message only."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, now=now)
        kept = message_rows.get_stored(db, message_id)
        name = message_rows.free_name(db, kept)
        copy_id = message_rows.insert_message(db, kept.fanpage_id, name, now)
        message_rows.replace_blocks(db, copy_id, message_rows.blocks_of(db, message_id))
        _record(db, by, "message.copy", message_rows.StoredMessage(copy_id, kept.fanpage_id, name), now)
    return copy_id


def _record(db: Session, by: Actor, verb: str, about: message_rows.StoredMessage, now: datetime) -> None:
    record(db, by, verb, now=now, fanpage_id=about.fanpage_id, subject_id=about.id, subject=about.name)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(problems)
