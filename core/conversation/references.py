"""What blocks refer to: the messages and topics that they name are there, and stay while they are named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core.broadcasts.rules import BroadcastState
from core.conversation.blocks.broadcast_answers import messages_after, topics_after
from core.conversation.blocks.kind import AskingKind
from core.conversation.blocks.registry import kind_of
from core.conversation.drafts import BlockDraft
from core.conversation.message_rows import StoredMessage
from core.conversation.messenger_profile.rows import profile_of
from core.db.tables import Block, Broadcast, Message, Topic
from core.errors import N_, Problem, WrongState, problem
from core.pictures.attachments import lost_among, names_of
from core.pictures.rules import attached_picture

TAPPED_FOR = timedelta(days=30)  # how long after the end of a broadcast its buttons are still tapped


def check_references(db: Session, fanpage_id: int, blocks: Sequence[BlockDraft]) -> list[Problem]:
    """What the blocks of a message refer to must be this fanpage's, and in use."""
    return [
        Problem(f"blocks.{place}.{one.field}", one.template, one.values)
        for place, block in enumerate(blocks)
        for one in check_block_references(db, fanpage_id, block, lock=False)
    ]


def check_block_references(db: Session, fanpage_id: int, block: BlockDraft, *, lock: bool) -> list[Problem]:
    """What is wrong with what one block refers to; with `lock`, that stays in use until the transaction
    ends."""
    kind = kind_of(block.kind)
    asks_about = block.topic_id if isinstance(kind, AskingKind) else None
    wanted = set() if asks_about is None else {asks_about}
    if not wanted <= _in_use(db, Topic, fanpage_id, wanted, lock=lock):
        return [problem("topic", N_("This topic no longer exists; choose another one."))]
    wanted = kind.message_ids(block.content) | messages_after(block.content)
    if draft := _unpublished(db, fanpage_id, wanted):
        words = N_("A button leads to “{name}”, which is not published yet; publish that message first.")
        return [problem("buttons", words, name=draft)]
    if not wanted <= _in_use(db, Message, fanpage_id, wanted, lock=lock):
        return [
            problem("buttons", N_("A button leads to a message that no longer exists; choose another one."))
        ]
    wanted = kind.topic_ids(block.content) | topics_after(block.content)
    if not wanted <= _in_use(db, Topic, fanpage_id, wanted, lock=lock):
        words = N_("A button names a topic that no longer exists; choose another one.")
        return [problem("buttons", words)]
    pictures = kind.pictures(block.content)
    if not pictures <= names_of(db, fanpage_id, pictures):
        return [problem("url", N_("The uploaded image belongs to another fanpage; upload it again."))]
    if lost_among(db, pictures, attached=attached_picture(kind.render(block.content))):
        return [problem("url", N_("The file of the uploaded image is missing; upload the image again."))]
    return []


def _in_use(
    db: Session, table: type[Message] | type[Topic], fanpage_id: int, ids: set[int], *, lock: bool
) -> set[int]:
    """Those of the ids that are this fanpage's and not archived."""
    if not ids:
        return set()
    living = select(col(table.id)).where(
        col(table.id).in_(ids), col(table.fanpage_id) == fanpage_id, col(table.archived_at).is_(None)
    )
    if table is Message:  # nothing leads to a translation but the message itself
        living = living.where(col(Message.translation_of_id).is_(None))
    if lock:
        living = living.order_by(col(table.id)).with_for_update(read=True)
    return {id_ for id_ in db.execute(living).scalars() if id_}


def _unpublished(db: Session, fanpage_id: int, ids: set[int]) -> str | None:
    """The name of one of these messages that the bot cannot send yet."""
    statement = select(col(Message.name)).where(
        col(Message.id).in_(ids),
        col(Message.fanpage_id) == fanpage_id,
        col(Message.archived_at).is_(None),
        col(Message.published) == 0,
    )
    return db.execute(statement.limit(1)).scalar_one_or_none() if ids else None


def refuse_while_used(db: Session, kept: StoredMessage, *, now: datetime) -> None:
    """A message is put away only when nothing leads to it any more."""
    refuse_while_led_to(db, kept)
    refuse_while_in_profile(db, kept)
    refuse_while_broadcast_leads(db, kept, now=now)


def refuse_while_led_to(db: Session, kept: StoredMessage) -> None:
    """A button that leads nowhere would leave a customer without an answer."""
    statement = (
        select(col(Message.name), col(Block.kind), col(Block.content))
        .join(Block, col(Block.message_id) == col(Message.id))
        .where(
            col(Message.fanpage_id) == kept.fanpage_id,
            func.coalesce(col(Message.translation_of_id), col(Message.id)) != kept.id,
            col(Message.archived_at).is_(None),
        )
    )
    for row in db.execute(statement):
        if kept.id in kind_of(row.kind).message_ids(row.content):
            words = N_("A button of “{name}” leads to this message; change that button first.")
            raise WrongState(words, name=row.name)


def is_in_profile(db: Session, fanpage_id: int, message_id: int) -> bool:
    """Whether the fanpage's menu or a suggested question leads to the message."""
    return message_id in profile_of(db, fanpage_id).message_ids


def refuse_while_in_profile(db: Session, kept: StoredMessage) -> None:
    """Nor may an item of the menu lead nowhere, or a question that a new chat offers."""
    if is_in_profile(db, kept.fanpage_id, kept.id):
        words = N_("The fanpage's menu or suggested questions lead to this message; change them first.")
        raise WrongState(words)


def refuse_while_broadcast_leads(db: Session, kept: StoredMessage, *, now: datetime) -> None:
    """Nor may the button of a broadcast lead nowhere that customers will get, or got lately and still tap."""
    if names := broadcasts_leading_to(db, kept.fanpage_id, kept.id, now=now):
        words = N_(
            "Buttons in broadcasts lead to this message: {names}. Customers can tap them for "
            "{days} days after a broadcast ends; archive it after that, and take broadcasts that "
            "are only scheduled off the schedule first."
        )
        raise WrongState(words, names=", ".join(f"“{name}”" for name in names), days=TAPPED_FOR.days)


def broadcasts_leading_to(db: Session, fanpage_id: int, message_id: int, *, now: datetime) -> list[str]:
    """Names of the broadcasts whose buttons lead to a message, and are or will be tapped."""
    statement = (
        select(col(Broadcast.name), col(Broadcast.content))
        .where(col(Broadcast.fanpage_id) == fanpage_id, _may_be_tapped(now))
        .order_by(col(Broadcast.id))
    )
    return [
        row.name
        for row in db.execute(statement)
        if message_id in kind_of(row.content["kind"]).message_ids(row.content) | messages_after(row.content)
    ]


def _may_be_tapped(now: datetime) -> ColumnElement[bool]:
    ahead = (BroadcastState.SCHEDULED, BroadcastState.SENDING, BroadcastState.PAUSED)
    over = (BroadcastState.FINISHED, BroadcastState.CANCELLED)
    recently = col(Broadcast.started_at).is_not(None) & (col(Broadcast.finished_at) > now - TAPPED_FOR)
    return col(Broadcast.state).in_(ahead) | (col(Broadcast.state).in_(over) & recently)
