"""What staff do with messages: save, archive, copy."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts.rules import Actor, Permission
from core.activity import record
from core.conversation import storing
from core.conversation.contents import cleaned, tidied
from core.conversation.rules import BlockDraft as BlockDraft
from core.conversation.rules import EntryDraft as EntryDraft
from core.conversation.rules import check_against_stop_words, check_message, check_taken
from core.database import transaction
from core.errors import Invalid, Problem


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
    by.require(Permission.EDIT)
    name, blocks = tidied(name), [cleaned(block) for block in blocks]
    entry_points = [EntryDraft(entry.kind, entry.match, tidied(entry.value)) for entry in entry_points]
    _refuse(check_message(name, blocks, entry_points))
    with transaction() as db:
        _refuse(storing.check_references(db, fanpage_id, blocks))
        _refuse(check_taken(entry_points, storing.owners_of(db, fanpage_id, but=message_id)))
        _refuse(check_against_stop_words(entry_points, storing.stop_words_of(db, fanpage_id)))
        if message_id is None:
            verb, saved_id = "message.create", storing.insert_message(db, fanpage_id, name, now)
        else:
            verb, saved_id = "message.change", message_id
            storing.change_message(db, fanpage_id, message_id, name, now=now, seen_at=seen_at)
        storing.put_blocks(db, saved_id, blocks)
        storing.put_entry_points(db, fanpage_id, saved_id, entry_points, now)
        _record(db, by, verb, storing.KeptMessage(saved_id, fanpage_id, name), now)
    return saved_id


def archive_message(by: Actor, message_id: int, *, now: datetime) -> None:
    """Put a message away: nothing starts it any more. Archiving it again changes nothing."""
    by.require(Permission.EDIT)
    with transaction() as db:
        kept = storing.kept_message(db, message_id)
        storing.refuse_while_led_to(db, kept)
        if storing.archive(db, message_id, now):
            _record(db, by, "message.archive", kept, now)


def copy_message(by: Actor, message_id: int, *, now: datetime) -> int:
    """A second message with the same blocks. Entry points stay: each leads to one message only."""
    by.require(Permission.EDIT)
    with transaction() as db:
        kept = storing.kept_message(db, message_id)
        name = storing.free_name(db, kept)
        copy_id = storing.insert_message(db, kept.fanpage_id, name, now)
        storing.put_blocks(db, copy_id, storing.blocks_of(db, message_id))
        _record(db, by, "message.copy", storing.KeptMessage(copy_id, kept.fanpage_id, name), now)
    return copy_id


def _record(db: Session, by: Actor, verb: str, about: storing.KeptMessage, now: datetime) -> None:
    record(db, by, verb, now=now, fanpage_id=about.fanpage_id, subject_id=about.id, subject=about.name)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(problems)
