"""The entry points of a fanpage as staff see them: what starts which message."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from core.conversation import message_rows
from core.conversation.entry_kinds.kind import KnownEntry
from core.conversation.entry_points import find_entry
from core.db.engine import reading
from core.db.tables import EntryPoint, Message


@dataclass(frozen=True)
class OwnedEntry:
    """An entry point of a fanpage, and the message that has it."""

    message_id: int
    message_name: str
    kind: str
    match: str | None
    value: str

    @property
    def known(self) -> KnownEntry:
        return KnownEntry(self.message_id, self.kind, self.match, self.value)


def answer_to(fanpage_id: int, text: str) -> OwnedEntry | None:
    """The keyword by which the bot would answer these words of a customer; none when it would not."""
    owned = entry_points_of(fanpage_id)
    known = [entry.known for entry in owned]
    called = find_entry(known, text=text)
    if called is None:
        return None
    return next(entry for entry in owned if (entry.kind, entry.value) == (called.kind, called.value))


def owners_of_entry_points(fanpage_id: int, *, but: int | None = None) -> dict[tuple[str, str], str]:
    """Names of messages by what starts them (kind and `entry_key`), leaving out the message `but`."""
    with reading() as db:
        return message_rows.owners_of(db, fanpage_id, but=but)


def known_entries(fanpage_id: int, *, but: int | None = None) -> list[KnownEntry]:
    """The fanpage's entry points as the rules want them, oldest first, leaving out the message `but`."""
    return [each.known for each in entry_points_of(fanpage_id) if each.message_id != but]


def entry_points_of(fanpage_id: int) -> list[OwnedEntry]:
    """What starts which message, on a whole fanpage."""
    with reading() as db:
        statement = (
            select(
                col(EntryPoint.message_id),
                col(Message.name),
                col(EntryPoint.kind),
                col(EntryPoint.match),
                col(EntryPoint.value),
            )
            .join(Message, col(Message.id) == col(EntryPoint.message_id))
            .where(col(EntryPoint.fanpage_id) == fanpage_id, col(Message.archived_at).is_(None))
            .order_by(col(EntryPoint.id))
        )
        return [OwnedEntry(*row) for row in db.execute(statement)]
