"""What a draft of a message is cleaned of, and what keeps it from being published."""

from __future__ import annotations

from sqlmodel import Session

from core.conversation import message_rows, references
from core.conversation.drafts import BlockDraft, EntryDraft, MessageDraft
from core.conversation.entry_points import check_taken, clean_entry
from core.conversation.rules import check_against_stop_words, check_message, clean_block
from core.conversation.translations import check_translation
from core.conversation.versions import Draft
from core.db.engine import reading
from core.errors import Problem
from core.text.normalise import normalise_name


def cleaned(written: MessageDraft | Draft) -> tuple[str, list[BlockDraft], list[EntryDraft]]:
    """Name, blocks and entry points as they are kept."""
    blocks = [clean_block(block) for block in written.blocks]
    return normalise_name(written.name), blocks, [clean_entry(entry) for entry in written.entry_points]


def find_problems(draft: Draft) -> list[Problem]:
    """What keeps this draft from being published; publishing refuses the same."""
    with reading() as db:
        return find_problems_in(db, draft)


def find_problems_in(db: Session, draft: Draft) -> list[Problem]:
    """The same inside the caller's transaction."""
    others = message_rows.owners_of(db, draft.fanpage_id, but=draft.id)
    return [
        *check_translation(db, draft.translation_of_id),
        *check_message(draft.name, draft.blocks, draft.entry_points),
        *references.check_references(db, draft.fanpage_id, draft.blocks),
        *check_taken(draft.entry_points, others),
        *check_against_stop_words(draft.entry_points, message_rows.stop_words_of(db, draft.fanpage_id)),
    ]
