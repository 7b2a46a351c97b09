"""A request with two wordings: who is asked with which, and what is recorded of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from core.conversation.blocks.registry import kind_of
from core.conversation.drafts import BlockDraft
from core.conversation.replies import answer_event
from core.db.engine import transaction
from core.db.tables import Block, EntryPoint, Message
from tests.arrange import Arrange

BOTH = {"title": "Báo tôi khi hồng xuân về", "title_b": "Nhắn tôi ngay khi có hồng xuân", "after": "Cảm ơn!"}
LONG = "Báo tôi " + "a" * 80


class Shop:
    """A keyword leads to a message whose request has two wordings."""

    def __init__(self, arrange: Arrange) -> None:
        self.arrange, self.now = arrange, arrange.now
        self.fanpage_id = arrange.fanpage()
        topic_id = arrange.topic(self.fanpage_id)
        times = {"created_at": self.now, "updated_at": self.now}
        message_id = arrange.save(Message(fanpage_id=self.fanpage_id, name="Hồng xuân", published=1, **times))
        arrange.save(Block(message_id=message_id, position=0, kind="otnr", content=BOTH, topic_id=topic_id))
        row = EntryPoint(
            fanpage_id=self.fanpage_id,
            message_id=message_id,
            kind="ref",
            value="hong",
            folded="hong",
            created_at=self.now,
        )
        arrange.save(row)

    def customer(self) -> int:
        closes_at = self.now + timedelta(days=400)
        return self.arrange.customer(self.fanpage_id, window_closes_at=closes_at)

    def asks(self, customer_id: int, *, after: timedelta = timedelta()) -> None:
        with transaction() as db:
            answer_event(
                db, fanpage_id=self.fanpage_id, customer_id=customer_id, ref="hong", now=self.now + after
            )


@pytest.fixture
def shop(arrange: Arrange, fresh_database) -> Shop:
    return Shop(arrange)


def test_what_is_recorded_is_what_the_customer_reads(shop, fresh_database):
    for _ in range(12):
        shop.asks(shop.customer())
    rows = fresh_database.rows(
        "SELECT title, variant, test, body FROM request JOIN reply ON request_id = request.id"
    )
    assert {(title, variant) for title, variant, *_ in rows} == {(BOTH["title"], "a"), (BOTH["title_b"], "b")}
    assert len({test for _, _, test, _ in rows}) == 1
    for title, _variant, _test, body in rows:
        other = BOTH["title_b"] if title == BOTH["title"] else BOTH["title"]
        shown = str(json.loads(body) if isinstance(body, str) else body)
        assert title in shown
        assert other not in shown


def test_a_customer_counts_once_and_always_reads_the_same(shop, fresh_database):
    customer_id = shop.customer()
    shop.asks(customer_id)
    shop.asks(customer_id, after=timedelta(days=60))
    rows = fresh_database.rows("SELECT title, variant FROM request ORDER BY id")
    assert len(rows) == 2
    assert rows[0][0] == rows[1][0]
    assert [bool(variant) for _, variant in rows] == [True, False]


def test_both_wordings_are_checked():
    found = kind_of("otnr").check(BlockDraft("otnr", {**BOTH, "title_b": LONG}, 1))
    assert [each.field for each in found] == ["title_b"]
    assert kind_of("otnr").check(BlockDraft("otnr", BOTH, 1)) == []


def test_a_second_wording_that_is_empty_or_the_same_is_none():
    for other in ("", "  ", BOTH["title"]):
        assert kind_of("otnr").clean({**BOTH, "title_b": other}) == {
            "title": BOTH["title"],
            "after": BOTH["after"],
        }
    assert kind_of("otnr").clean(BOTH) == BOTH
