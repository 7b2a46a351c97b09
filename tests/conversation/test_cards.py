"""Cards, carousels, videos, files and quick replies, from the draft to the wire."""

from typing import Any

import pytest

from core.conversation.drafts import BlockDraft
from core.conversation.preview import bubbles_of, bubbles_of_wire
from core.conversation.preview_thread import GONE, SILENT, STOPPED, Step, thread_of
from core.conversation.rules import check_block, clean_block, render
from core.simulator import content as simulator
from core.simulator.behaviour import Behaviour

ROSES: dict[str, Any] = {
    "title": "Hoa hồng Đà Lạt",
    "subtitle": "Cắt lúc 5 giờ sáng",
    "image_url": "https://hoa.vn/hong.jpg",
    "url": "https://hoa.vn/hong",
    "buttons": [
        {"title": "Xem giá", "message_id": 7},
        {"title": "Gọi tiệm", "phone": "0901 234 567"},
        {"title": "Mua", "url": "https://hoa.vn/mua"},
    ],
}
SENT = {
    "title": "Hoa hồng Đà Lạt",
    "subtitle": "Cắt lúc 5 giờ sáng",
    "image_url": "https://hoa.vn/hong.jpg",
    "default_action": {"type": "web_url", "url": "https://hoa.vn/hong"},
    "buttons": [
        {"type": "postback", "title": "Xem giá", "payload": "message:7"},
        {"type": "phone_number", "title": "Gọi tiệm", "payload": "+84901234567"},
        {"type": "web_url", "title": "Mua", "url": "https://hoa.vn/mua"},
    ],
}


def sent(kind: str, **content: Any) -> dict[str, Any]:
    return render(kind, clean_block(BlockDraft(kind, content)).content)


def fields(kind: str, **content: Any) -> list[str]:
    return [one.field for one in check_block(kind, content)]


def test_a_card_is_the_generic_template() -> None:
    message = sent("card", **ROSES)
    payload = message["attachment"]["payload"]
    assert payload == {"template_type": "generic", "elements": [SENT]}
    simulator.check_message(message, Behaviour())


def test_a_carousel_is_several_of_them() -> None:
    message = sent("carousel", cards=[ROSES, {"title": "Hoa ly", "subtitle": "Sắp về"}])
    assert message["attachment"]["payload"]["elements"] == [SENT, {"title": "Hoa ly", "subtitle": "Sắp về"}]
    simulator.check_message(message, Behaviour())
    assert fields("carousel", cards=[ROSES]) == ["cards"]
    assert fields("carousel", cards=[ROSES] * 11) == ["cards"]
    assert fields("carousel", cards=[ROSES, {**ROSES, "title": "x" * 81}]) == ["cards.1.title"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"title": "{{first_name}}" + "x" * 31}, "title"),
        ({"subtitle": "x" * 81}, "subtitle"),
        ({"image_url": "hoa.jpg"}, "image_url"),
        ({"url": "http://192.168.1.2/"}, "url"),
        ({"subtitle": "", "image_url": "", "url": "", "buttons": []}, "subtitle"),
        ({"buttons": ROSES["buttons"] + ROSES["buttons"][:1]}, "buttons"),
        ({"buttons": [{"title": "Gọi", "phone": "tiệm hoa"}]}, "buttons.0.phone"),
        ({"buttons": [{"title": "Gọi", "phone": ""}]}, "buttons.0.phone"),
        ({"buttons": [{"title": "x" * 21, "message_id": 1}]}, "buttons.0.title"),
    ],
)
def test_what_messenger_would_not_take_is_refused(change: dict[str, Any], field: str) -> None:
    assert fields("card", **{**ROSES, **change}) == [field]
    assert fields("card", **ROSES) == []


def test_the_name_stands_in_a_card() -> None:
    card = {**ROSES, "title": "Gửi {{first_name}}", "fallback": "bạn"}
    titles = [bubbles_of("card", card, first_name=name)[0].cards[0].title for name in ("Mai", None)]
    assert titles == ["Gửi Mai", "Gửi bạn"]
    assert "fallback" in fields("card", **{**card, "fallback": "{"})


@pytest.mark.parametrize("kind", ["video", "file"])
def test_videos_and_files_are_fetched_from_their_address(kind: str) -> None:
    url = "https://hoa.vn/a.bin"
    assert sent(kind, url=url) == {"attachment": {"type": kind, "payload": {"url": url}}}
    simulator.check_message(sent(kind, url=url), Behaviour())
    assert fields(kind, url="") == ["url"]


def test_a_quick_reply_may_ask_for_what_messenger_knows() -> None:
    replies = [{"title": "Gọi cho tôi", "message_id": 3}, {"asks": "phone"}, {"asks": "email", "title": "x"}]
    message = sent("quick_replies", text="Mình gọi bạn nhé?", replies=replies)
    assert message["quick_replies"] == [
        {"content_type": "text", "title": "Gọi cho tôi", "payload": "message:3"},
        {"content_type": "user_phone_number"},
        {"content_type": "user_email"},
    ]
    simulator.check_message(message, Behaviour())
    assert fields("quick_replies", text="?", replies=[{"asks": "address"}]) == ["replies.0.asks"]
    assert fields("quick_replies", text="?", replies=[{"asks": "email"}] * 2) == ["replies"]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("card", ROSES),
        ("carousel", {"cards": [ROSES, ROSES]}),
        ("video", {"url": "https://hoa.vn/a.mp4"}),
        ("file", {"url": "https://hoa.vn/a.pdf"}),
        ("quick_replies", {"text": "?", "replies": [{"asks": "email"}, {"title": "Có", "message_id": 1}]}),
    ],
)
def test_a_sent_block_is_drawn_as_it_was_while_it_was_written(kind: str, content: dict[str, Any]) -> None:
    assert bubbles_of_wire(render(kind, content)) == bubbles_of(kind, content)


def test_what_is_tapped_shows_what_the_bot_would_say_next() -> None:
    first, prices = [BlockDraft("card", ROSES)], [BlockDraft("text", {"text": "50.000 đ"})]
    steps = [
        Step("Xem giá", "message:7"),
        Step("Thôi", "stop:all"),
        Step("Có", "answer"),
        Step("?", "message:9"),
    ]
    find = {7: prices}.get

    def said(after: int | None) -> list[str]:
        asked = {"first_name": "Lan", "tapped": False, "after": after}
        return [one.text for one in thread_of(first, steps, find, str, **asked)[1:]]

    talk = ["Xem giá", "50.000 đ", "Thôi", STOPPED, "Có"]
    assert said(None) == [*talk, SILENT, "?", GONE]
    answer = thread_of(first, [Step("Có", "answer")], find, str, first_name="Lan", tapped=False, after=7)
    assert [one.text for one in answer[1:]] == ["Có", "50.000 đ"]
