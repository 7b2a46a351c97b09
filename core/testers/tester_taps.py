"""Taps of testers on "Notify me" in tests, inside the caller's transaction: no opt-in comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.consent.tapped_opt_ins import Tap
from core.conversation.payloads import TEST_PAYLOAD
from core.conversation.replies import answer_with
from core.db.tables import Customer, TesterMessage
from core.text.normalise import is_blank

_DIGITS = 18


def take_out_tests(db: Session, taps: Sequence[Tap], now: datetime) -> list[Tap]:
    """Note the taps on requests that were sent as tests, and thank for them. Returns the other taps. The
    token of a test's tap is not kept."""
    tests = [tap for tap in taps if tap.payload.startswith(TEST_PAYLOAD)]
    for tap in tests:
        _note(db, tap, now)
    return [tap for tap in taps if not tap.payload.startswith(TEST_PAYLOAD)] if tests else list(taps)


def _note(db: Session, tap: Tap, now: datetime) -> None:
    test_id, _dot, place = tap.payload.removeprefix(TEST_PAYLOAD).partition(".")
    if not _is_number(test_id) or not _is_number(place):
        return
    chosen = (
        select(TesterMessage)
        .join(Customer, col(Customer.id) == col(TesterMessage.customer_id))
        .where(
            col(TesterMessage.id) == int(test_id),
            col(TesterMessage.fanpage_id) == tap.fanpage_id,
            col(Customer.psid) == tap.psid,
        )
    )
    test = db.execute(chosen).scalar_one_or_none()
    if test is None or int(place) >= len(test.after_texts):
        return
    words = test.after_texts[int(place)]
    test.tapped_at = test.tapped_at or tap.consented_at
    test.after_texts = ["" if at == int(place) else each for at, each in enumerate(test.after_texts)]
    db.flush()
    if not is_blank(words):
        answer_with(db, tap.fanpage_id, test.customer_id, words, now)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS
