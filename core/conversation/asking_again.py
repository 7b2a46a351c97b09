"""Asks customers again whose opt-in is spent: by a button of theirs to tap, and by a topic's rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, not_, select
from sqlmodel import Session, col

from core.consent.asking_rules import Withheld
from core.consent.eligibility import is_unspent
from core.consent.withdrawals import is_before_withdrawal
from core.conversation.asking_wordings import find_asking_block
from core.conversation.blocks.kind import AskingKind
from core.conversation.blocks.registry import kind_of
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.opt_in_requests import Asking, Body, ask, of_customer, record_withheld, sentence_for
from core.conversation.payloads import ASK_PAYLOAD
from core.db.tables import OptIn, Topic

ID_DIGITS = 18


def topic_in(payload: str | None) -> int | None:
    """The topic that a button's payload asks about."""
    digits = (payload or "").removeprefix(ASK_PAYLOAD)
    asks = payload is not None and payload.startswith(ASK_PAYLOAD)
    return (
        int(digits) if asks and digits.isascii() and digits.isdigit() and len(digits) <= ID_DIGITS else None
    )


def ask_after_tap(
    db: Session, fanpage_id: int, customer_id: int, topic_id: int, title: str, now: datetime
) -> list[Body]:
    """The request for a topic whose button a customer has tapped, or the sentence that stands for it."""
    topic = db.get(Topic, topic_id)
    if topic is None or topic.fanpage_id != fanpage_id:
        return []
    asking = _asking(db, topic, customer_id, EntryKind.AGAIN, title, now)
    if asking is not None and topic.archived_at is None:
        return ask(db, asking)
    record_withheld(db, fanpage_id, customer_id, topic_id, EntryKind.AGAIN, Withheld.NO_WORDING, now)
    return sentence_for(Withheld.NO_WORDING, "")


def ask_by_rule(db: Session, fanpage_id: int, customer_id: int, now: datetime) -> list[Body]:
    """The request by which the rule of a topic asks a customer who has just written; one at a time.

    Asked is who has had an opt-in for the topic, holds none that is unspent, and has not said no since.
    """
    for topic in db.execute(_topics_to_ask(fanpage_id, customer_id, now)).scalars():
        asking = _asking(db, topic, customer_id, EntryKind.RULE, "", now)
        if asking is not None and (bodies := ask(db, asking, answers=False)):
            return bodies
    return []


def _topics_to_ask(fanpage_id: int, customer_id: int, now: datetime) -> Any:
    theirs = of_customer(customer_id, col(Topic.id))
    latest = select(func.max(OptIn.consented_at)).where(*theirs).correlate_except(OptIn).scalar_subquery()
    return (
        select(Topic)
        .where(
            col(Topic.fanpage_id) == fanpage_id,
            col(Topic.asks_again),
            col(Topic.archived_at).is_(None),
            exists().where(*theirs),
            ~exists().where(*theirs, is_unspent(now)),
            not_(is_before_withdrawal(customer_id, col(Topic.id), latest)),
        )
        .order_by(col(Topic.id))
    )


def _asking(
    db: Session, topic: Topic, customer_id: int, entry_kind: str, entry_value: str, now: datetime
) -> Asking | None:
    """Asks with the message chosen for the topic, else with the newest that asks about it; None when no
    message does."""
    found = find_asking_block(db, topic, customer_id)
    if found is None:
        return None
    message_id, block = found
    kind = kind_of(block.kind)
    if not isinstance(kind, AskingKind):
        return None
    return Asking(
        topic.fanpage_id,
        customer_id,
        topic.id or 0,
        message_id,
        entry_kind,
        entry_value,
        kind,
        block.content,
        now,
    )
