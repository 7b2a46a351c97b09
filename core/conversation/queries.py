"""Messages as staff see them: their blocks, what starts them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.conversation.blocks.registry import kind_of
from core.conversation.stored_content import blocks_in
from core.conversation.translations import id_in_language, languages_of
from core.db.engine import reading
from core.db.tables import Block, EntryPoint, Message, Topic
from core.errors import N_, NotFound
from core.text.collation import sort_key
from core.text.matching import search_key
from core.text.normalise import is_blank


@dataclass(frozen=True)
class BlockView:
    kind: str
    content: dict[str, Any]
    topic_id: int | None
    topic_name: str | None


@dataclass(frozen=True)
class EntryView:
    kind: str
    match: str | None
    value: str


@dataclass(frozen=True)
class MessageView:
    id: int
    fanpage_id: int
    name: str
    blocks: tuple[BlockView, ...]
    entry_points: tuple[EntryView, ...]
    updated_at: datetime
    is_archived: bool = False
    published: int = 0  # the number of the version that the bot sends; 0: it sends none yet
    has_changes: bool = False  # something is written that was not published
    languages: tuple[str, ...] = ()  # of its translations that some customers get


def list_messages(
    fanpage_id: int, *, offset: int = 0, limit: int = 50, search: str = ""
) -> list[MessageView]:
    """The fanpage's messages, the latest change first; `search` looks into names and entry points."""
    with reading() as db:
        found = _listed(fanpage_id).order_by(col(Message.updated_at).desc(), col(Message.id).desc())
        if not is_blank(search):
            ids = _matching(db, fanpage_id, search)[offset : offset + limit]
            found = found.where(col(Message.id).in_(ids))
        else:
            found = found.offset(offset).limit(limit)
        return _views(db, db.execute(found).scalars().all())


def count_messages(fanpage_id: int, *, search: str = "") -> int:
    with reading() as db:
        if not is_blank(search):
            return len(_matching(db, fanpage_id, search))
        return int(db.execute(select(func.count()).select_from(_listed(fanpage_id).subquery())).scalar_one())


def get_message(message_id: int) -> MessageView:
    """One message, also an archived one: a request of long ago still names its message."""
    with reading() as db:
        row = db.get(Message, message_id)
        if row is None:
            raise NotFound(N_("There is no such message."))
        return _views(db, [row])[0]


def get_translations(message: MessageView) -> dict[str, MessageView]:
    """What customers of other languages get in the message's place, by language."""
    with reading() as db:
        ids = {language: id_in_language(db, message.id, language) for language in message.languages}
        rows = [db.get_one(Message, id_) for id_ in ids.values()]
        return dict(zip(ids, _views(db, rows), strict=True))


def message_names(fanpage_id: int) -> dict[int, str]:
    """Every message a button may lead to, by name."""
    with reading() as db:
        statement = select(col(Message.id), col(Message.name)).where(
            col(Message.fanpage_id) == fanpage_id,
            col(Message.archived_at).is_(None),
            col(Message.translation_of_id).is_(None),
            col(Message.published) > 0,
        )
        return _by_name(db, statement)


def unpublished_names(fanpage_id: int) -> dict[int, str]:
    """The messages that a button may lead to once they are published, by name."""
    with reading() as db:
        statement = select(col(Message.id), col(Message.name)).where(
            col(Message.fanpage_id) == fanpage_id,
            col(Message.archived_at).is_(None),
            col(Message.translation_of_id).is_(None),
            col(Message.published) == 0,
        )
        return _by_name(db, statement)


def topic_names(fanpage_id: int) -> dict[int, str]:
    """The topics an OTNR may ask about, by name; without figures, so cheap to read on every keystroke."""
    with reading() as db:
        statement = select(col(Topic.id), col(Topic.name)).where(
            col(Topic.fanpage_id) == fanpage_id, col(Topic.archived_at).is_(None)
        )
        return _by_name(db, statement)


def _by_name(db: Session, statement: Select[*tuple[Any, ...]]) -> dict[int, str]:
    return {row.id: row.name for row in sorted(db.execute(statement), key=lambda row: sort_key(row.name))}


def leading_to(message_id: int) -> list[str]:
    """Names of the messages with a button or quick reply that leads to this one."""
    with reading() as db:
        fanpage_id = select(col(Message.fanpage_id)).where(col(Message.id) == message_id).scalar_subquery()
        statement = (
            select(col(Message.name), col(Block.kind), col(Block.content))
            .join(Block, col(Block.message_id) == col(Message.id))
            .where(
                col(Message.fanpage_id) == fanpage_id,
                col(Message.archived_at).is_(None),
            )
        )
        names = {
            row.name
            for row in db.execute(statement)
            if message_id in kind_of(row.kind).message_ids(row.content)
        }
        return sorted(names, key=sort_key)


def caption_of(message_id: int) -> str:
    """What to print under the QR code of a message's link: the first topic that it asks about, if any."""
    with reading() as db:
        statement = (
            select(col(Topic.name))
            .join(Block, col(Block.topic_id) == col(Topic.id))
            .where(col(Block.message_id) == message_id)
            .order_by(col(Block.position))
        )
        return db.execute(statement.limit(1)).scalar_one_or_none() or ""


def _listed(fanpage_id: int) -> Select[Message]:
    return select(Message).where(
        col(Message.fanpage_id) == fanpage_id,
        col(Message.archived_at).is_(None),
        col(Message.translation_of_id).is_(None),
    )


def _matching(db: Session, fanpage_id: int, search: str) -> list[int]:
    """Ids, latest change first. Messages are few; comparing them here finds "khuyen mai" on any database."""
    wanted = search_key(search)
    texts: dict[int, list[str]] = {}
    listed = _listed(fanpage_id).order_by(col(Message.updated_at).desc(), col(Message.id).desc()).subquery()
    for row in db.execute(
        select(listed.c.id, listed.c.name, col(EntryPoint.value))
        .outerjoin(EntryPoint, col(EntryPoint.message_id) == listed.c.id)
        .order_by(listed.c.updated_at.desc(), listed.c.id.desc())
    ):
        texts.setdefault(row.id, [row.name]).append(row.value or "")
    return [key for key, values in texts.items() if any(wanted in search_key(value) for value in values)]


def _views(db: Session, rows: Sequence[Message]) -> list[MessageView]:
    ids = [row.id for row in rows if row.id is not None]
    blocks, entries, languages = _blocks(db, ids), _entry_points(db, ids), languages_of(db, ids)
    return [
        MessageView(
            id=row.id,
            fanpage_id=row.fanpage_id,
            name=row.name,
            blocks=tuple(blocks[row.id] if row.published else _drafted(row)),
            entry_points=tuple(entries[row.id]),
            updated_at=row.updated_at,
            is_archived=row.archived_at is not None,
            published=row.published,
            has_changes=row.draft is not None,
            languages=languages[row.id],
        )
        for row in rows
        if row.id is not None
    ]


def _drafted(row: Message) -> list[BlockView]:
    """What a message says that the bot never sent."""
    drafted = blocks_in(row.draft) if row.draft else []
    return [BlockView(block.kind, block.content, block.topic_id, None) for block in drafted]


def _blocks(db: Session, message_ids: Sequence[int]) -> dict[int, list[BlockView]]:
    statement = (
        select(
            col(Block.message_id), col(Block.kind), col(Block.content), col(Block.topic_id), col(Topic.name)
        )
        .outerjoin(Topic, col(Topic.id) == col(Block.topic_id))
        .where(col(Block.message_id).in_(message_ids))
        .order_by(col(Block.position))
    )
    found: dict[int, list[BlockView]] = defaultdict(list)
    for message_id, *fields in db.execute(statement):
        found[message_id].append(BlockView(*fields))
    return found


def _entry_points(db: Session, message_ids: Sequence[int]) -> dict[int, list[EntryView]]:
    statement = (
        select(col(EntryPoint.message_id), col(EntryPoint.kind), col(EntryPoint.match), col(EntryPoint.value))
        .where(col(EntryPoint.message_id).in_(message_ids))
        .order_by(col(EntryPoint.id))
    )
    found: dict[int, list[EntryView]] = defaultdict(list)
    for message_id, *fields in db.execute(statement):
        found[message_id].append(EntryView(*fields))
    return found
