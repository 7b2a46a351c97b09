"""What staff do with the draft of a message: every change is saved at once, and the bot sends none of it.

A draft may be incomplete. What is missing is asked for when it is published.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col

from core.accounts import concurrent_edits
from core.accounts.activity_log import is_same_sitting
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.conversation import message_rows, versions
from core.conversation.draft_checks import cleaned, find_problems_in
from core.conversation.drafts import MessageDraft
from core.conversation.message_rows import record
from core.conversation.rules import NAME_LIMIT, check_name
from core.conversation.stored_content import to_stored
from core.conversation.translations import (
    name_in,
    refuse_without_message,
    translations_of,
    translations_put_away,
)
from core.conversation.versions import Draft, draft_of, get_open_row, get_row
from core.db.engine import reading, transaction
from core.db.tables import Fanpage, Message
from core.errors import N_, Changed, WrongState, refuse_invalid
from core.text.utf16_units import cut

FIELDS = ("name", "blocks", "entry_points")
_WRITES = ("message.create", "message.change", "message.copy")


def get_draft(message_id: int) -> Draft:
    """A message as it is being written, whether or not anything of it was published."""
    with reading() as db:
        return draft_of(db, get_row(db, message_id))


def differing(one: Draft, other: Draft) -> dict[str, Any]:
    """The fields in which `other` differs from `one`, with the values of `other`."""
    return concurrent_edits.differing(one, other, FIELDS)


def create_draft(by: Actor, fanpage_id: int, written: MessageDraft, *, now: datetime) -> Draft:
    """A message that nothing starts yet, since it is not published."""
    name, blocks, entries = cleaned(written)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        row = get_row(db, message_rows.insert_message(db, fanpage_id, cut(name, NAME_LIMIT), now))
        row.draft = to_stored(blocks, entries)
        record(db, by, "message.create", row, now=now)
        return draft_of(db, row)


def keep_draft(by: Actor, draft: Draft, *, began: Draft, now: datetime) -> Draft:
    """Save the fields in which `draft` differs from `began`, the version it was written from. Returns the
    draft as it is kept now.

    What others have changed since in other fields stays theirs. A field that both changed is not saved:
    Changed says who changed it and when. A name that is blank or too long is not kept; the last one stays.
    """
    name, blocks, entries = cleaned(draft)
    if check_name(name):
        name = began.name
    mine = differing(began, replace(draft, name=name, blocks=blocks, entry_points=entries))
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Message, draft.id), now=now)
        row = get_open_row(db, draft.id)
        if row.translation_of_id is not None:  # named and started as the message itself
            mine = {field: value for field, value in mine.items() if field == "blocks"}
        theirs = draft_of(db, row)
        if clashes := concurrent_edits.clashing(mine, began, theirs, theirs.changes):
            raise Changed(clashes)
        changed = differing(theirs, replace(theirs, **mine))
        if changed:
            _write(db, row, replace(theirs, **mine), by, now, tuple(changed))
        return draft_of(db, row)


def _write(
    db: Session, row: Message, wanted: Draft, by: Actor, now: datetime, changed: tuple[str, ...]
) -> None:
    row.name = wanted.name
    for each in translations_of(db, wanted.id) if "name" in changed else ():
        each.name = name_in(wanted.name, each.language or "", NAME_LIMIT)
    if set(changed) - {"name"}:  # only the team sees the name: it is no part of what is published
        is_sent = row.published and versions.is_sent(db, wanted)
        row.draft = None if is_sent else to_stored(wanted.blocks, wanted.entry_points)
    versions.note_change(row, by, now, changed)
    if not is_same_sitting(db, by, _WRITES, wanted.id, now):
        record(db, by, "message.change", row, now=now)


def publish_message(by: Actor, message_id: int, *, version: int | None = None, now: datetime) -> int:
    """Let the bot send the draft from now on. Returns the number of the version that this makes.

    `version` is the one that was looked at: if it is not the latest any more, Changed says what differs.
    Without unpublished changes nothing happens: the latest version is what was meant.
    """
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Message, message_id), now=now)
        row = get_open_row(db, message_id)
        versions.refuse_if_changed(row, version)
        if row.draft is None:
            return row.published
        draft = draft_of(db, row)
        refuse_invalid(find_problems_in(db, draft))
        number = versions.publish(db, row, draft.blocks, draft.entry_points, by, now)
        record(db, by, "message.publish", row, now=now, version=number)
        return number


def delete_draft(by: Actor, message_id: int, *, version: int | None = None, now: datetime) -> None:
    """Delete a message that was never published. `version` is the one that was looked at."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Message, message_id), now=now)
        row = get_open_row(db, message_id)
        if row.published:
            raise WrongState(N_("This message was published in the meantime; archive it instead."))
        versions.refuse_if_changed(row, version)
        record(db, by, "message.delete", row, now=now)
        db.execute(delete(Message).where(col(Message.translation_of_id) == message_id))
        db.delete(row)


def bring_back(by: Actor, message_id: int, *, now: datetime) -> None:
    """End the archiving of a message. What started it waits in its draft: others may have it meanwhile."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Message, message_id), now=now)
        row = get_row(db, message_id, lock=True)
        if row.archived_at is None:
            return
        refuse_without_message(db, row)
        for each in translations_put_away(db, message_id, row.archived_at):
            each.archived_at = None
        row.archived_at = None
        last = versions.content_of(db, message_id, row.published)
        if row.draft is None and last is not None and last["entry_points"]:
            row.draft = last
        versions.note_change(row, by, now, ("entry_points",))
        record(db, by, "message.restore", row, now=now)
