"""The bot's answers, inside the caller's transaction: which message an event calls for, queued by PSID.

Nothing is sent from here: replies wait for the worker (reply_queue.py), placeholders still in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from core.conversation.asking_again import ask_after_tap, ask_by_rule, topic_in
from core.conversation.blocks.kind import AskingKind
from core.conversation.blocks.registry import kind_of
from core.conversation.entry_kinds.kind import FoundEntry, KnownEntry
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_points import find_entry, message_in
from core.conversation.opt_in_requests import Asking, Body, ask
from core.conversation.reply_queue import Queued, holds_answer, queue_behind, queue_replies, reply_row
from core.conversation.rules import ReplyState
from core.conversation.silence_rules import is_silent
from core.conversation.translations import id_for_customer, is_translated
from core.db.tables import Block, Customer, EntryPoint, Fanpage, Message, Reply, Topic
from core.messenger import wire

COLLEAGUE_ANSWERS = "colleague_answers"  # why a reply was skipped
COMMENT_ANSWERED_WITHIN = timedelta(days=7)  # Messenger Platform, private replies
# What `is_silent` asks for, in its order.
SILENCE_COLUMNS = (
    col(Customer.colleague_at),
    col(Customer.silence_ended_at),
    col(Fanpage.silent_hours),
)


def answer_event(
    db: Session,
    *,
    fanpage_id: int,
    customer_id: int,
    text: str | None = None,
    payload: str | None = None,
    ref: str | None = None,
    now: datetime,
) -> int:
    """Queue the message that the event calls for; returns how many replies were queued."""
    if not _may_answer(db, customer_id, now):
        return 0
    if topic_id := topic_in(payload):
        bodies = ask_after_tap(db, fanpage_id, customer_id, topic_id, text or "", now)
        return queue_behind(db, Queued(fanpage_id, customer_id, bodies), now)
    entry = _find_entry(db, fanpage_id, text=text, payload=payload, ref=ref)
    if entry is None:
        return 0
    return _answer(db, _Answer(fanpage_id, customer_id, entry, now))


def ask_again(db: Session, fanpage_id: int, customer_id: int, now: datetime) -> int:
    """Queue the request by which a topic's rule asks a customer who has just written; returns how many. None
    while an answer, which may ask by itself, waits for the customer's language."""
    if holds_answer(db, customer_id) or not _may_answer(db, customer_id, now):
        return 0
    return _queue(db, fanpage_id, customer_id, ask_by_rule(db, fanpage_id, customer_id, now), now)


def find_comment_entry(db: Session, fanpage_id: int, text: str) -> FoundEntry | None:
    """The entry point that a comment on a post leads to."""
    return _find_entry(db, fanpage_id, comment=text)


def answer_comment(
    db: Session,
    entry: FoundEntry,
    *,
    fanpage_id: int,
    customer_id: int,
    comment_id: str,
    at: datetime,
    now: datetime,
) -> int:
    """Queue the private reply to a comment of that time: the first block of the message, since the platform
    takes one message for each comment. Returns how many replies were queued."""
    until = at + COMMENT_ANSWERED_WITHIN
    of_comment = (col(Reply.fanpage_id) == fanpage_id) & (col(Reply.comment_id) == comment_id)
    if until <= now or db.execute(select(col(Reply.id)).where(of_comment)).first() is not None:
        return 0
    if _colleague_answers(db, customer_id, now):
        return 0
    answer = _Answer(fanpage_id, customer_id, entry, now)
    bodies = _bodies(db, answer, most=1)
    rows = [reply_row(fanpage_id, customer_id, request_id, body, now) for request_id, body in bodies]
    if rows:
        db.execute(insert(Reply), [{**rows[0], "comment_id": comment_id, "comment_until": until}])
    return len(rows)


def answer_with_message(
    db: Session, fanpage_id: int, customer_id: int, message_id: int, now: datetime
) -> int:
    """Queue a message of the fanpage as if a button had led to it. Returns how many replies."""
    if not _may_answer(db, customer_id, now) or not _is_ours(db, fanpage_id, message_id):
        return 0
    return _answer(db, _Answer(fanpage_id, customer_id, FoundEntry(message_id, EntryKind.BUTTON, ""), now))


def begin_answer(
    db: Session, fanpage_id: int, customer_id: int, begins_with: Mapping[str, Any], now: datetime
) -> int:
    """Queue the answer that waited for the customer's language, if it may still be given. The caller has
    locked the customer. Returns how many replies were queued."""
    if "body" in begins_with:
        request_id, body = begins_with["request_id"], begins_with["body"]  # as queue_behind has put it there
        if request_id is not None and _colleague_answers(db, customer_id, now):
            _skip_request(db, reply_row(fanpage_id, customer_id, request_id, body, now))
            return 0
        return _queue(db, fanpage_id, customer_id, [(request_id, body)], now)
    entry = FoundEntry(**begins_with)
    if not _may_answer(db, customer_id, now) or not _is_ours(db, fanpage_id, entry.message_id):
        return 0
    answer = _Answer(fanpage_id, customer_id, entry, now)
    return _queue(db, fanpage_id, customer_id, _bodies(db, answer), now)


def _skip_request(db: Session, row: dict[str, Any]) -> None:
    """Keep a request that a colleague's answer has overtaken as one that never reached the customer, who may
    then be asked another time."""
    skipped = {"state": ReplyState.SKIPPED, "reason": COLLEAGUE_ANSWERS, "settled_at": row["created_at"]}
    db.execute(insert(Reply), [{**row, **skipped}])


def answer_with(db: Session, fanpage_id: int, customer_id: int, text: str, now: datetime) -> int:
    """Queue one text of the bot's own, while the window is open. Returns how many replies."""
    if not _window_is_open(db, customer_id, now):
        return 0
    return queue_behind(db, Queued(fanpage_id, customer_id, [(None, wire.text(text))]), now)


@dataclass(frozen=True)
class _Answer:
    """An answer that the bot gives: to whom, because of which entry point, and when."""

    fanpage_id: int
    customer_id: int
    entry: FoundEntry
    now: datetime


def _answer(db: Session, answer: _Answer) -> int:
    """Queue an answer. One that has translations waits until the worker has asked for the language of a
    customer who was never asked about, and so do those after it, to keep their order."""
    fanpage_id, customer_id, now = answer.fanpage_id, answer.customer_id, answer.now
    if not _waits_for_language(db, answer):
        return _queue(db, fanpage_id, customer_id, _bodies(db, answer), now)
    held = {**reply_row(fanpage_id, customer_id, None, {}, now), "begins_with": asdict(answer.entry)}
    db.execute(insert(Reply), [held])
    return 1


def _waits_for_language(db: Session, answer: _Answer) -> bool:
    if holds_answer(db, answer.customer_id):
        return True
    asked_at = select(col(Customer.profile_at)).where(col(Customer.id) == answer.customer_id)
    return db.execute(asked_at).scalar_one() is None and is_translated(db, answer.entry.message_id)


def _window_is_open(db: Session, customer_id: int, now: datetime) -> bool:
    closes_at = db.execute(
        select(col(Customer.window_closes_at)).where(col(Customer.id) == customer_id)
    ).scalar_one_or_none()
    return closes_at is not None and closes_at > now


def _may_answer(db: Session, customer_id: int, now: datetime) -> bool:
    """Whether the window is open, and no colleague is answering."""
    return _window_is_open(db, customer_id, now) and not _colleague_answers(db, customer_id, now)


def _colleague_answers(db: Session, customer_id: int, now: datetime) -> bool:
    fanpage = col(Fanpage.id) == col(Customer.fanpage_id)
    silence = select(*SILENCE_COLUMNS).join(Fanpage, fanpage).where(col(Customer.id) == customer_id)
    colleague_at, ended_at, hours = db.execute(silence).one()
    return is_silent(colleague_at, ended_at, hours, now)


def _find_entry(
    db: Session,
    fanpage_id: int,
    *,
    text: str | None = None,
    payload: str | None = None,
    ref: str | None = None,
    comment: str | None = None,
) -> FoundEntry | None:
    statement = (
        select(col(EntryPoint.message_id), col(EntryPoint.kind), col(EntryPoint.match), col(EntryPoint.value))
        .join(Message, col(Message.id) == col(EntryPoint.message_id))
        .where(col(EntryPoint.fanpage_id) == fanpage_id, col(Message.archived_at).is_(None))
        .order_by(col(EntryPoint.id))
    )
    known = [KnownEntry(*row) for row in db.execute(statement)]
    has_message = _is_ours(db, fanpage_id, message_in(payload))
    return find_entry(known, text=text, payload=payload, ref=ref, comment=comment, has_message=has_message)


def _is_ours(db: Session, fanpage_id: int, message_id: int | None) -> bool:
    """Whether a message is this fanpage's and in use: a button may outlive its message, and what was never
    published is sent to nobody."""
    if message_id is None:
        return False
    statement = select(col(Message.id)).where(
        col(Message.id) == message_id,
        col(Message.fanpage_id) == fanpage_id,
        col(Message.archived_at).is_(None),
        col(Message.published) > 0,
    )
    return db.execute(statement).first() is not None


def _bodies(db: Session, answer: _Answer, *, most: int | None = None) -> list[Body]:
    """The message's blocks for the Send API in the customer's language, in order and at most so many; with a
    request goes its id."""
    theirs = id_for_customer(db, answer.entry.message_id, answer.customer_id)
    statement = (
        select(col(Block.kind), col(Block.content), col(Block.topic_id), col(Topic.archived_at))
        .outerjoin(Topic, col(Topic.id) == col(Block.topic_id))
        .where(col(Block.message_id) == theirs)
        .order_by(col(Block.position))
    )
    bodies: list[Body] = []
    for block in db.execute(statement).all():
        if len(bodies) == most:
            break
        kind = kind_of(block.kind)
        if not isinstance(kind, AskingKind):
            bodies.append((None, kind.render(block.content)))
        elif block.topic_id is not None and block.archived_at is None:
            bodies += ask(db, _asking(answer, kind, block.topic_id, block.content))
    return bodies


def _asking(answer: _Answer, kind: AskingKind, topic_id: int, content: dict[str, Any]) -> Asking:
    entry = answer.entry
    return Asking(
        answer.fanpage_id,
        answer.customer_id,
        topic_id,
        entry.message_id,
        entry.kind,
        entry.value,
        kind,
        content,
        answer.now,
    )


def _queue(db: Session, fanpage_id: int, customer_id: int, bodies: Sequence[Body], now: datetime) -> int:
    return queue_replies(db, Queued(fanpage_id, customer_id, bodies), now)
