"""Rows of a message, inside the transaction of an action: written, compared, refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import ColumnElement, CursorResult, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from core.broadcasts.rules import BroadcastState
from core.consent.stop_words import DEFAULT
from core.conversation.contents import leads_to, stops
from core.conversation.entry_points import entry_key
from core.conversation.kinds import BlockDraft, BlockKind, EntryDraft, EntryKind
from core.conversation.rules import NAME_LIMIT
from core.db.tables import Block, Broadcast, EntryPoint, Fanpage, Message, Topic
from core.errors import N_, Invalid, NotFound, Problem, WrongState, problem
from core.text.length import cut

TAPPED_FOR = timedelta(days=30)  # how long after the end of a broadcast its buttons are still tapped


@dataclass(frozen=True)
class KeptMessage:
    id: int
    fanpage_id: int
    name: str


def kept_message(db: Session, message_id: int, *, lock: bool = False) -> KeptMessage:
    statement = select(col(Message.id), col(Message.fanpage_id), col(Message.name))
    statement = statement.where(col(Message.id) == message_id)
    row = db.execute(statement.with_for_update(key_share=True) if lock else statement).one_or_none()
    if row is None:
        raise NotFound(N_("There is no such message."))
    return KeptMessage(*row)


def insert_message(db: Session, fanpage_id: int, name: str, now: datetime) -> int:
    values = {"fanpage_id": fanpage_id, "name": name, "created_at": now, "updated_at": now}
    return int(db.execute(insert(Message).values(values).returning(col(Message.id))).scalar_one())


def change_message(
    db: Session, fanpage_id: int, message_id: int, name: str, *, now: datetime, seen_at: datetime | None
) -> None:
    statement = update(Message).where(
        col(Message.id) == message_id,
        col(Message.fanpage_id) == fanpage_id,
        col(Message.archived_at).is_(None),
    )
    if seen_at is not None:
        statement = statement.where(col(Message.updated_at) == seen_at)
    if _changed(db.execute(statement.values(name=name, updated_at=now))):
        return
    kept_message(db, message_id)
    raise WrongState(
        N_("Somebody else changed or archived this message meanwhile. Load it again before you save.")
    )


def archive(db: Session, message_id: int, now: datetime) -> bool:
    """Whether this call archived it. Its keywords and links become free for other messages."""
    statement = update(Message).where(col(Message.id) == message_id, col(Message.archived_at).is_(None))
    if not _changed(db.execute(statement.values(archived_at=now, updated_at=now))):
        return False
    db.execute(delete(EntryPoint).where(col(EntryPoint.message_id) == message_id))
    return True


def blocks_of(db: Session, message_id: int) -> list[BlockDraft]:
    statement = select(col(Block.kind), col(Block.content), col(Block.topic_id))
    rows = db.execute(statement.where(col(Block.message_id) == message_id).order_by(col(Block.position)))
    return [BlockDraft(*row) for row in rows]


def put_blocks(db: Session, message_id: int, blocks: Sequence[BlockDraft]) -> None:
    db.execute(delete(Block).where(col(Block.message_id) == message_id))
    rows = [
        {
            "message_id": message_id,
            "position": position,
            "kind": block.kind,
            "content": block.content,
            "topic_id": block.topic_id,
        }
        for position, block in enumerate(blocks)
    ]
    if rows:
        db.execute(insert(Block), rows)


def put_entry_points(
    db: Session, fanpage_id: int, message_id: int, entry_points: Sequence[EntryDraft], now: datetime
) -> None:
    db.execute(delete(EntryPoint).where(col(EntryPoint.message_id) == message_id))
    rows = [
        {
            "fanpage_id": fanpage_id,
            "message_id": message_id,
            "kind": entry.kind,
            "match": entry.match if entry.kind == EntryKind.KEYWORD else None,
            "value": "" if entry.kind == EntryKind.GET_STARTED else entry.value,
            "folded": entry_key(entry.kind, entry.value),
            "created_at": now,
        }
        for entry in entry_points
    ]
    try:
        if rows:
            db.execute(insert(EntryPoint), rows)
    except IntegrityError as clash:  # another operator's save came between our check and this line
        raise Invalid(
            [problem("entry_points", N_("Another message has just taken one of these; check them again."))]
        ) from clash


def check_references(db: Session, fanpage_id: int, blocks: Sequence[BlockDraft]) -> list[Problem]:
    """Topics and messages that blocks name must be this fanpage's, and in use."""
    topics = _living(db, Topic, fanpage_id)
    messages = _living(db, Message, fanpage_id)
    found = []
    for place, block in enumerate(blocks):
        if block.kind == BlockKind.OTNR and block.topic_id not in topics:
            found.append(problem(f"blocks.{place}.topic_id", N_("This topic is gone; choose another one.")))
        elif not stops(block.content) <= topics:
            words = N_("A button stops notifications about a topic that is gone; choose another one.")
            found.append(problem(f"blocks.{place}.buttons", words))
        elif not leads_to(block.kind, block.content) <= messages:
            words = N_("A button leads to a message that is gone; choose another one.")
            found.append(problem(f"blocks.{place}.buttons", words))
    return found


def check_targets(db: Session, fanpage_id: int, block: BlockDraft, *, lock: bool) -> list[Problem]:
    """A broadcast's buttons must lead to messages of its fanpage that are in use; with `lock` they stay so
    until the transaction ends."""
    wanted = leads_to(block.kind, block.content)
    if not wanted <= _in_use(db, Message, fanpage_id, wanted, lock=lock):
        return [problem("buttons", N_("A button leads to a message that is gone; choose another one."))]
    wanted = stops(block.content)
    if not wanted <= _in_use(db, Topic, fanpage_id, wanted, lock=lock):
        words = N_("A button stops notifications about a topic that is gone; choose another one.")
        return [problem("buttons", words)]
    return []


def _in_use(
    db: Session, table: type[Message] | type[Topic], fanpage_id: int, ids: set[int], *, lock: bool
) -> set[int]:
    living = select(col(table.id)).where(
        col(table.id).in_(ids), col(table.fanpage_id) == fanpage_id, col(table.archived_at).is_(None)
    )
    if lock:
        living = living.order_by(col(table.id)).with_for_update(read=True)
    return {id_ for id_ in db.execute(living).scalars() if id_}


def stop_words_of(db: Session, fanpage_id: int) -> list[str]:
    found = db.execute(select(col(Fanpage.stop_words)).where(col(Fanpage.id) == fanpage_id))
    return found.scalar_one_or_none() or list(DEFAULT)


def keywords_of(db: Session, fanpage_id: int) -> dict[str, str]:
    """The fanpage's keywords, with the names of the messages that they start."""
    statement = (
        select(col(EntryPoint.value), col(Message.name))
        .join(Message, col(Message.id) == col(EntryPoint.message_id))
        .where(col(EntryPoint.fanpage_id) == fanpage_id, col(EntryPoint.kind) == EntryKind.KEYWORD)
    )
    return {row.value: row.name for row in db.execute(statement)}


def owners_of(db: Session, fanpage_id: int, *, but: int | None) -> dict[tuple[str, str], str]:
    """The fanpage's entry points, by kind and key, with the names of the messages that have them."""
    statement = (
        select(col(EntryPoint.kind), col(EntryPoint.value), col(Message.name))
        .join(Message, col(Message.id) == col(EntryPoint.message_id))
        .where(col(EntryPoint.fanpage_id) == fanpage_id, col(EntryPoint.message_id) != (but or 0))
    )
    return {(row.kind, entry_key(row.kind, row.value)): row.name for row in db.execute(statement)}


def refuse_while_led_to(db: Session, kept: KeptMessage) -> None:
    """A button that leads nowhere would leave a customer without an answer."""
    statement = (
        select(col(Message.name), col(Block.kind), col(Block.content))
        .join(Block, col(Block.message_id) == col(Message.id))
        .where(
            col(Message.fanpage_id) == kept.fanpage_id,
            col(Message.id) != kept.id,
            col(Message.archived_at).is_(None),
            col(Block.kind).in_([BlockKind.BUTTONS, BlockKind.QUICK_REPLIES]),
        )
    )
    for row in db.execute(statement):
        if kept.id in leads_to(row.kind, row.content):
            words = N_("A button of “{name}” leads to this message; change that button first.")
            raise WrongState(words, name=row.name)


def refuse_while_broadcast_leads(db: Session, kept: KeptMessage, *, now: datetime) -> None:
    """Nor may the button of a broadcast lead nowhere that customers will get, or got lately and still tap."""
    statement = (
        select(col(Broadcast.name), col(Broadcast.content))
        .where(col(Broadcast.fanpage_id) == kept.fanpage_id, _may_be_tapped(now))
        .order_by(col(Broadcast.id))
    )
    names = [
        row.name
        for row in db.execute(statement)
        if kept.id in leads_to(row.content.get("kind", ""), row.content)
    ]
    if names:
        words = N_(
            "Buttons of broadcasts lead to this message: {names}. Customers tap them until {days} days after "
            "the end of a broadcast; archive it then, or take what is only scheduled back first."
        )
        raise WrongState(words, names=", ".join(f"“{name}”" for name in names), days=TAPPED_FOR.days)


def _may_be_tapped(now: datetime) -> ColumnElement[bool]:
    ahead = (BroadcastState.SCHEDULED, BroadcastState.SENDING, BroadcastState.PAUSED)
    over = (BroadcastState.FINISHED, BroadcastState.CANCELLED)
    recently = col(Broadcast.started_at).is_not(None) & (col(Broadcast.finished_at) > now - TAPPED_FOR)
    return col(Broadcast.state).in_(ahead) | (col(Broadcast.state).in_(over) & recently)


def free_name(db: Session, kept: KeptMessage) -> str:
    """The next name of the row "Welcome (2)", "Welcome (3)" …"""
    statement = select(col(Message.name)).where(col(Message.fanpage_id) == kept.fanpage_id)
    taken = set(db.execute(statement).scalars())
    tries = (f"{cut(kept.name, NAME_LIMIT - 6)} ({number})" for number in count(2))
    return next(name for name in tries if name not in taken)


def _living(db: Session, table: type[Topic] | type[Message], fanpage_id: int) -> set[int | None]:
    statement = select(col(table.id)).where(
        col(table.fanpage_id) == fanpage_id, col(table.archived_at).is_(None)
    )
    return set(db.execute(statement).scalars())


def _changed(result: object) -> bool:
    return isinstance(result, CursorResult) and result.rowcount > 0
