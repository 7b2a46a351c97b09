"""Adds languages to a message. A translation is then written, published and archived as a message is."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.conversation import message_rows
from core.conversation.message_rows import record
from core.conversation.rules import NAME_LIMIT
from core.conversation.stored_content import to_stored
from core.conversation.translations import find_translation, is_language, name_in
from core.conversation.versions import draft_of, get_open_row, get_row
from core.db.engine import transaction
from core.db.tables import Message
from core.errors import N_, Invalid, WrongState, problem


def add_translation(by: Actor, message_id: int, language: str, *, now: datetime) -> int:
    """A draft of the message in another language (`en`), which begins with the same blocks; one that was put
    away comes back as it was. Returns the id of the translation, also of one that is there already."""
    if not is_language(language):
        raise Invalid([problem("language", N_("There is no language “{code}”."), code=language[:16])])
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Message, message_id), now=now)
        original = get_open_row(db, message_id)
        if original.translation_of_id is not None:
            raise WrongState(N_("This is a translation itself; add the language to its message."))
        known = find_translation(db, message_id, language)
        if known is not None:
            _bring_back(db, by, known, now)
            return known.id or 0
        row = insert_translation(db, original, language, now)
        row.draft = to_stored(draft_of(db, original).blocks, [])
        record(db, by, "message.translate", row, now=now)
        return row.id or 0


def insert_translation(db: Session, original: Message, language: str, now: datetime) -> Message:
    """The row of a translation that says nothing yet."""
    name = name_in(original.name, language, NAME_LIMIT)
    row = get_row(db, message_rows.insert_message(db, original.fanpage_id, name, now))
    row.translation_of_id, row.language = original.id, language
    return row


def _bring_back(db: Session, by: Actor, row: Message, now: datetime) -> None:
    if row.archived_at is not None:
        row.archived_at = None
        record(db, by, "message.restore", row, now=now)
