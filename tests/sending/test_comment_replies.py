"""Comments on posts are answered in private: once each, within seven days, by one message. From the webhook
to the simulator's Send API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from core.accounts.rules import COMMAND_LINE
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.db.engine import transaction
from core.db.tables import Customer, Reply, Request, WithheldRequest
from core.encryption import encrypt
from core.fanpages.connection import find_connections, forget_connections
from core.inbox import processing
from core.settings import settings
from core.simulator import World, comments, people, running_simulator
from core.simulator.entities import PostComment
from tests.inbox.platform import milliseconds, read, rows
from tests.sending.conftest import Studio

PAGE, TOKEN = "100000000000777", "page-token-of-the-shop"


class Shop:
    """A fanpage whose message answers comments, and the platform it is on."""

    def __init__(self, studio: Studio, world: World) -> None:
        self.studio, self.world = studio, world
        self.fanpage_id = studio.arrange.fanpage(page_id=PAGE, token_sealed=encrypt(TOKEN), rate=40)
        self.lan = world.add_person(PAGE, "Lan").psid

    def message(self, *entries: EntryDraft, blocks: list[BlockDraft] | None = None) -> int:
        blocks = blocks or [
            BlockDraft("text", {"text": "Dạ, giá đây ạ"}),
            BlockDraft("text", {"text": "Hai"}),
        ]
        return save_message(
            COMMAND_LINE,
            self.fanpage_id,
            name="Giá",
            blocks=blocks,
            entry_points=list(entries),
            now=self.studio.now,
        )

    def comment(self, text: str, *, psid: str | None = None) -> PostComment:
        return comments.write(self.world, psid or self.lan, text)

    def tell(self, comment: PostComment, *, verb: str = "add", by: str | None = None) -> None:
        """The webhook event of a comment."""
        value = {
            "item": "comment",
            "verb": verb,
            "comment_id": comment.comment_id,
            "post_id": f"{PAGE}_1001",
            "from": {"id": by or comment.psid, "name": "Lan"},
            "message": comment.text,
            "created_time": int(comment.at),
        }
        event = {"field": "feed", "value": value}
        received = read(event, received_at=self.studio.now, page_id=PAGE, channel="changes")
        processing.store_events(received)
        while processing.apply_pending(limit=500, now=self.studio.now):
            pass

    def send(self) -> None:
        self.studio.loop(find_connections=find_connections).drain()
        self.studio.close()

    def received(self) -> list[str]:
        """What the page has written to Lan."""
        thread = self.world.threads[self.lan]
        return [str(bubble.message.get("text")) for bubble in thread if bubble.by_page]


@pytest.fixture
def shop(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    world = World(clock=lambda: studio.now.timestamp())
    secret = settings().app_secret.get_secret_value()
    world.add_page(PAGE, "Tiệm Hoa Mai", TOKEN, app_secret=secret)
    world.behaviour.change({"delivery_seconds": 0, "read_seconds": 0})
    with running_simulator(world) as url:
        monkeypatch.setenv("OTN_GRAPH_URL", url)
        settings.cache_clear()
        yield Shop(studio, world)
    forget_connections()


BY_WORD = EntryDraft("comment", "contains", "giá")
WHATEVER = EntryDraft("comment", "any")


def test_a_comment_with_the_keyword_gets_the_first_block_in_private(shop: Shop) -> None:
    shop.message(BY_WORD)
    shop.tell(shop.comment("Giá bao nhiêu shop?"))
    shop.send()
    assert shop.received() == ["Dạ, giá đây ạ"]
    [reply] = rows(Reply)
    assert (reply.state, reply.comment_until - reply.created_at) == ("sent", timedelta(days=7))


def test_a_comment_with_other_words_is_left_alone_and_makes_nobody_a_customer(shop: Shop) -> None:
    shop.message(BY_WORD)
    shop.tell(shop.comment("Hoa đẹp quá"))
    assert rows(Reply) == []
    assert rows(Customer) == []


def test_any_comment_is_answered_where_a_message_wants_it(shop: Shop) -> None:
    shop.message(WHATEVER)
    shop.tell(shop.comment("Hoa đẹp quá"))
    shop.send()
    assert len(shop.received()) == 1


def test_a_comment_that_is_told_of_twice_is_answered_once(shop: Shop) -> None:
    shop.message(BY_WORD)
    comment = shop.comment("giá?")
    for _ in range(2):
        shop.tell(comment)
        shop.send()
    shop.tell(comment, verb="edited")
    shop.tell(comment, verb="remove")
    shop.send()
    assert len(shop.received()) == len(rows(Reply)) == 1


def test_each_comment_is_answered(shop: Shop) -> None:
    shop.message(BY_WORD)
    for _ in range(2):
        shop.tell(shop.comment("giá?"))
    shop.send()
    assert len(shop.received()) == 2


def test_what_the_page_itself_comments_is_not_answered(shop: Shop) -> None:
    shop.message(WHATEVER)
    shop.tell(shop.comment("Giá 50k ạ"), by=PAGE)
    assert rows(Reply) == []


def test_a_comment_opens_no_window_and_the_answer_needs_none(shop: Shop) -> None:
    shop.message(BY_WORD)
    shop.tell(shop.comment("giá?"))
    [customer] = rows(Customer)
    assert customer.window_closes_at is None
    shop.send()
    assert shop.world.person(shop.lan).window_until == 0.0


def test_after_seven_days_a_comment_is_not_answered_any_more(shop: Shop) -> None:
    shop.message(BY_WORD)
    late, waiting = shop.comment("giá?"), shop.comment("giá bó này?")
    shop.tell(waiting)
    shop.studio.now += timedelta(days=7, seconds=1)
    shop.tell(late)
    shop.send()
    assert shop.received() == []
    assert [(reply.state, reply.reason) for reply in rows(Reply)] == [("skipped", "comment_too_old")]


def test_a_refused_answer_blames_the_comment_and_not_the_customer(shop: Shop) -> None:
    shop.message(BY_WORD)
    comment = shop.comment("giá?")
    comments.answer(shop.world, shop.world.page(PAGE), comment.comment_id, {"text": "từ hộp thư"})
    shop.tell(comment)
    shop.send()
    [reply], [customer] = rows(Reply), rows(Customer)
    assert reply.state == "failed"
    assert customer.unreachable_code is None


def test_an_otnr_may_be_the_private_reply_and_its_tap_leads_back_to_it(shop: Shop) -> None:
    topic = shop.studio.arrange.topic(shop.fanpage_id)
    asks = BlockDraft("otnr", {"title": "Báo tôi khi hoa về", "after": ""}, topic)
    shop.message(BY_WORD, blocks=[asks])
    shop.tell(shop.comment("giá?"))
    shop.send()
    [request] = rows(Request)
    assert (request.entry_kind, request.entry_value) == ("comment", "giá")
    bubble = shop.world.threads[shop.lan][-1]
    assert people.request_of(bubble)["payload"] == request.payload


def test_who_answers_the_private_reply_is_answered_as_usual(shop: Shop, now: datetime) -> None:
    shop.message(BY_WORD, EntryDraft("keyword", "contains", "giá"))
    shop.tell(shop.comment("giá?"))
    shop.send()
    event = {
        "sender": {"id": shop.lan},
        "recipient": {"id": PAGE},
        "timestamp": milliseconds(shop.studio.now),
        "message": {"mid": "m_1", "text": "giá"},
    }
    people.type_message(shop.world, shop.lan, "giá")
    processing.store_events(read(event, received_at=shop.studio.now, page_id=PAGE))
    while processing.apply_pending(limit=500, now=shop.studio.now):
        pass
    shop.send()
    assert shop.received() == ["Dạ, giá đây ạ", "Dạ, giá đây ạ", "Hai"]


def test_a_comment_asks_no_more_often_than_the_limits_allow(shop: Shop) -> None:
    """Who is not asked again reads why, in the one message that a comment gets."""
    topic = shop.studio.arrange.topic(shop.fanpage_id)
    shop.message(BY_WORD, blocks=[BlockDraft("otnr", {"title": "Báo tôi khi hoa về", "after": ""}, topic)])
    for _ in range(2):
        shop.tell(shop.comment("giá?"))
        shop.send()
        shop.studio.now += timedelta(hours=1)
    assert len(rows(Request)) == 1
    assert [(each.reason, each.entry_kind) for each in rows(WithheldRequest)] == [("cool_down", "comment")]
    [first, second] = rows(Reply)
    assert (first.request_id is not None, second.request_id) == (True, None)
    assert "Báo tôi khi hoa về" in second.body["text"]


def test_while_a_colleague_answers_the_bot_answers_no_comment(shop: Shop) -> None:
    shop.message(BY_WORD)
    shop.tell(shop.comment("giá?"))
    shop.send()
    with transaction() as db:
        db.execute(update(Customer).values(colleague_at=shop.studio.now))
    shop.tell(shop.comment("giá bó kia?"))
    shop.studio.now += timedelta(hours=13)
    shop.tell(shop.comment("giá bó này?"))
    shop.send()
    assert len(shop.received()) == len(rows(Reply)) == 2
