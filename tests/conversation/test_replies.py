"""The bot's answers: what is queued for a customer, when, and with which request."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from core.conversation.replies import answer_event
from core.conversation.thanks import answer_taps
from core.db.engine import reading, transaction
from core.db.tables import Block, EntryPoint, Message, Reply, Request
from tests.arrange import Arrange

OTNR = {"title": "Báo tôi khi mở bán đợt 2", "after": "Cảm ơn {{first_name|bạn}}!"}


class Shop:
    """A fanpage whose welcome has a text and an OTNR, and a customer inside the window."""

    def __init__(self, arrange: Arrange) -> None:
        self.arrange, self.now = arrange, arrange.now
        self.fanpage = arrange.fanpage()
        self.topic = arrange.topic(self.fanpage)
        self.lan = arrange.customer(self.fanpage, window_closes_at=self.now + timedelta(hours=20))
        self.welcome = self.message(
            "Chào mừng", [("text", {"text": "Chào {{first_name}}", "fallback": "bạn"}), ("otnr", OTNR)]
        )
        self.entry(self.welcome, "get_started")

    def message(self, name: str, blocks: list[tuple[str, dict[str, Any]]], **more: Any) -> int:
        times = {"created_at": self.now, "updated_at": self.now}
        message_id = self.arrange.save(
            Message(fanpage_id=self.fanpage, name=name, published=1, **times, **more)
        )
        for position, (kind, content) in enumerate(blocks):
            topic_id = self.topic if kind == "otnr" else None
            self.arrange.save(
                Block(message_id=message_id, position=position, kind=kind, content=content, topic_id=topic_id)
            )
        return message_id

    def entry(self, message_id: int, kind: str, value: str = "", match: str | None = None) -> None:
        row = EntryPoint(
            fanpage_id=self.fanpage,
            message_id=message_id,
            kind=kind,
            match=match,
            value=value,
            folded=value,
            created_at=self.now,
        )
        self.arrange.save(row)

    def hears(self, *, after: timedelta = timedelta(), **event: Any) -> int:
        now = self.now + after
        with transaction() as db:
            return answer_event(
                db,
                fanpage_id=self.fanpage,
                customer_id=self.lan,
                now=now,
                **event,
            )


@pytest.fixture
def shop(arrange: Arrange) -> Shop:
    return Shop(arrange)


def rows(table: Any) -> list[Any]:
    with reading() as db:
        return list(db.exec(select(table).order_by(table.id)))


def test_get_started_queues_the_blocks_in_order(shop: Shop) -> None:
    assert shop.hears(payload="GET_STARTED") == 2
    hello, ask = rows(Reply)
    assert hello.body == {"text": "Chào {{first_name|bạn}}"}
    assert ask.body["attachment"]["payload"]["template_type"] == "one_time_notif_req"
    assert (hello.state, ask.state, hello.created_at) == ("queued", "queued", shop.now)


def test_a_request_remembers_the_promise_and_the_way_in(shop: Shop) -> None:
    shop.hears(payload="GET_STARTED")
    (request,) = rows(Request)
    ask = rows(Reply)[1]
    assert (request.title, request.after_text, request.topic_id) == (OTNR["title"], OTNR["after"], shop.topic)
    assert (request.entry_kind, request.message_id, ask.request_id) == (
        "get_started",
        shop.welcome,
        request.id,
    )
    assert request.payload == ask.body["attachment"]["payload"]["payload"]
    assert request.payload.startswith("otn.")
    assert len(request.payload) == 26


def test_a_keyword_is_remembered_as_the_way_in(shop: Shop) -> None:
    shop.entry(shop.welcome, "keyword", "đăng ký", "contains")
    assert shop.hears(text="cho em dang ky voi") == 2
    assert (rows(Request)[0].entry_kind, rows(Request)[0].entry_value) == ("keyword", "đăng ký")


def test_a_button_leads_to_another_message(shop: Shop) -> None:
    prices = shop.message("Giá", [("text", {"text": "199.000đ"})])
    assert shop.hears(payload=f"message:{prices}") == 1


def test_a_button_never_leads_to_another_fanpages_message(shop: Shop) -> None:
    other = Shop(shop.arrange)
    assert shop.hears(payload=f"message:{other.welcome}") == 0


def test_an_archived_message_is_not_sent(shop: Shop) -> None:
    gone = shop.message("Cũ", [("text", {"text": "cũ"})], archived_at=shop.now)
    shop.entry(gone, "keyword", "cũ", "exact")
    assert shop.hears(text="cũ") == 0
    assert shop.hears(payload=f"message:{gone}") == 0


def test_nothing_is_said_when_nothing_was_called_for(shop: Shop) -> None:
    assert shop.hears(text="xin chào") == 0
    assert rows(Reply) == []


def test_nothing_is_said_once_the_window_is_closed(shop: Shop) -> None:
    assert shop.hears(payload="GET_STARTED", after=timedelta(hours=20)) == 0
    assert rows(Request) == []


def test_the_same_card_is_not_sent_twice_within_a_minute(shop: Shop) -> None:
    assert shop.hears(payload="GET_STARTED") == 2
    assert shop.hears(payload="GET_STARTED", after=timedelta(seconds=59)) == 1
    assert len(rows(Request)) == 1


def test_a_card_that_was_tapped_may_follow_at_once(shop: Shop) -> None:
    shop.hears(payload="GET_STARTED")
    with transaction() as db:
        db.exec(select(Request)).one().tapped_at = shop.now
    assert shop.hears(payload="GET_STARTED", after=timedelta(seconds=5)) == 2


def test_whoever_holds_an_opt_in_is_told_so_instead_of_asked(shop: Shop) -> None:
    shop.arrange.opt_in(shop.topic, shop.lan, fanpage_id=shop.fanpage)
    assert shop.hears(payload="GET_STARTED") == 2
    assert rows(Request) == []


def test_an_archived_topic_is_not_asked_about(shop: Shop) -> None:
    from core.db.tables import Topic

    with transaction() as db:
        db.get(Topic, shop.topic).archived_at = shop.now
    assert shop.hears(payload="GET_STARTED") == 1
    assert rows(Request) == []


def test_a_button_title_that_no_database_keeps_does_no_harm(shop: Shop) -> None:
    assert shop.hears(payload=f"message:{shop.welcome}", text="Xem\ud800 giá\0") == 2
    assert rows(Request)[0].entry_value == "Xem giá"


def test_a_tap_is_thanked_for(shop: Shop) -> None:
    shop.hears(payload="GET_STARTED")
    with transaction() as db:
        assert answer_taps(db, [rows(Request)[0].id], shop.now) == 1
    thanks = rows(Reply)[-1]
    assert (thanks.body, thanks.request_id) == ({"text": "Cảm ơn {{first_name|bạn}}!"}, None)


def test_a_tap_after_the_window_is_not_thanked_for(shop: Shop) -> None:
    shop.hears(payload="GET_STARTED")
    with transaction() as db:
        late = shop.now + timedelta(days=2)
        assert answer_taps(db, [rows(Request)[0].id], late) == 0
        assert answer_taps(db, [999], shop.now) == 0
