"""The message that follows the first answer to a broadcast."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.accounts.rules import COMMAND_LINE
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.db.tables import Broadcast, Delivery
from core.inbox import processing
from core.inbox.event_parser import parse_body
from tests.inbox.platform import PAGE, body, said


@pytest.fixture
def hear(arrange, now, fresh_database):
    """A fanpage whose customer got a broadcast an hour ago, which the price list is to follow. Hears what the
    customer says and returns what the bot answered in all."""
    fanpage_id = arrange.fanpage(page_id=PAGE)

    def save(name: str, text: str, *entries: EntryDraft) -> int:
        blocks, given = [BlockDraft("text", {"text": text})], {"entry_points": list(entries), "now": now}
        return save_message(COMMAND_LINE, fanpage_id, name=name, blocks=blocks, **given)

    save("Chào", "Chào bạn!", EntryDraft("keyword", "exact", "alo"))
    prices = save("Bảng giá", "50.000 đ")
    customer_id = arrange.customer(fanpage_id, psid="25")
    made = {"fanpage_id": fanpage_id, "topic_id": arrange.topic(fanpage_id), "name": "Tết"}
    content = {"kind": "text", "text": "Hoa về rồi", "after_message_id": prices}
    broadcast = arrange.save(Broadcast(**made, content=content, created_at=now, updated_at=now))
    at = {"claimed_at": now - timedelta(hours=1), "settled_at": now - timedelta(hours=1)}
    arrange.save(Delivery(broadcast_id=broadcast, customer_id=customer_id, state="sent", **at))

    def _hear(*events: Any) -> list[str]:
        processing.store_events(parse_body(body(*events, page_id=PAGE), now))
        processing.apply_pending(limit=100, now=now)
        return [text for (text,) in fresh_database.rows("SELECT body FROM reply ORDER BY id")]

    return _hear


def test_it_is_said_once_when_the_customer_answers(hear, now):
    (first,) = hear(said("25", now, "Đẹp quá", "m.1"))
    assert "50.000" in str(first)
    assert len(hear(said("25", now + timedelta(minutes=1), "Còn không?", "m.2"))) == 1


def test_two_answers_of_one_batch_bring_it_once(hear, now):
    later = now + timedelta(seconds=1)
    assert len(hear(said("25", now, "Đẹp", "m.1"), said("25", later, "Quá", "m.2"))) == 1


def test_an_answer_that_leads_elsewhere_is_answered_there(hear, now):
    (answer,) = hear(said("25", now, "alo", "m.1"))
    assert "50.000" not in str(answer)
    assert len(hear(said("25", now + timedelta(minutes=1), "Đẹp quá", "m.2"))) == 1


def test_who_says_no_hears_nothing_more(hear, now):
    assert all("50.000" not in str(each) for each in hear(said("25", now, "STOP", "m.1")))
