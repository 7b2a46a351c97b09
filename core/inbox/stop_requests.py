"""Recognises that a customer wants no notifications, by a stop word or by a button, and records it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core.consent import ledger
from core.consent.rules import WithdrawalSource
from core.consent.stop_words import DEFAULT, find_stop_word, stopped
from core.conversation.payloads import STOP_ALL, STOP_PAYLOAD
from core.conversation.replies import answer_with
from core.db.tables import Fanpage, Topic
from core.messenger.event_kinds import EventKind
from core.settings import settings
from core.text.catalogues import say_in

ID_DIGITS = 18


@dataclass(frozen=True)
class StopRequest:
    """The topic about which a customer wants no notifications (None: all topics), and the confirmation."""

    source: WithdrawalSource
    topic_id: int | None
    answer: str


def find_stop_request(
    db: Session,
    fanpage_id: int,
    *,
    kind: str,
    text: str | None,
    payload: str | None,
    by_default: bool = False,
) -> StopRequest | None:
    """The stop request in what a customer did, or None. Only typed text is compared with the stop words, not
    the title of a button. `by_default` leaves out the words that staff have added: they may have done so
    after it was said."""
    fanpage = db.get_one(Fanpage, fanpage_id)
    if payload:
        return _by_button(db, fanpage, payload)
    words = [word for word in fanpage.stop_words or DEFAULT if not by_default or word in DEFAULT]
    if kind != EventKind.MESSAGE or not text or not find_stop_word(text, words):
        return None
    return StopRequest(WithdrawalSource.KEYWORD, None, stopped(fanpage.name, None, _say()))


def _by_button(db: Session, fanpage: Fanpage, payload: str) -> StopRequest | None:
    wanted = payload.removeprefix(STOP_PAYLOAD)
    if wanted == payload:
        return None
    if wanted == STOP_ALL:
        return StopRequest(WithdrawalSource.BUTTON, None, stopped(fanpage.name, None, _say()))
    is_id = wanted.isascii() and wanted.isdigit() and len(wanted) <= ID_DIGITS
    topic = db.get(Topic, int(wanted)) if is_id else None
    if topic is None or topic.fanpage_id != fanpage.id:
        return None
    return StopRequest(WithdrawalSource.BUTTON, topic.id, stopped(fanpage.name, topic.name, _say()))


def _say() -> Callable[[str], str]:
    """How to translate into the language of the installation, in which customers are answered."""
    return say_in(settings().language)


def apply_stop_request(
    db: Session,
    fanpage_id: int,
    customer_id: int,
    stop: StopRequest,
    *,
    at: datetime,
    now: datetime,
    answer: bool,
) -> None:
    """Record the withdrawal as of the time it was said, and with `answer` confirm it to the customer, whose
    row the caller has locked."""
    ledger.withdraw(db, customer_id, stop.topic_id, fanpage_id=fanpage_id, source=stop.source, at=at, now=now)
    if answer:
        answer_with(db, fanpage_id, customer_id, stop.answer, now)
