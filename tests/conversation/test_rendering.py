"""From a block to the wire, and the customer's name into it."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation.blocks.otnr import Otnr
from core.conversation.drafts import BlockDraft
from core.conversation.placeholders import NAME_ROOM, longest_length, personalise, strange_placeholder
from core.conversation.rules import check_block, clean_block, render
from core.messenger import message_limits
from core.text.normalise import normalise_text
from core.text.utf16_units import units


def text_for(name: str | None, text: str, fallback: str = "") -> str:
    return personalise(render("text", {"text": text, "fallback": fallback}), name)["text"]


@pytest.mark.parametrize(
    ("text", "fallback", "name", "read"),
    [
        ("Chào {{first_name}}!", "bạn", "Lan", "Chào Lan!"),
        ("Chào {{first_name}}!", "bạn", None, "Chào bạn!"),
        ("Chào {{first_name|chị}}!", "bạn", "", "Chào chị!"),
        ("Chào {{ first_name }}!", "", None, "Chào!"),
        ("{{first_name}} ơi", "", None, "ơi"),
        ("{{first_name}} và {{first_name|bạn}}", "", "Mai", "Mai và Mai"),
        ("Chào {{first_name}}", "bạn", "  Thu \n Hà ", "Chào Thu Hà"),
        ("Chào {{first_name}}", "bạn", "{{first_name}}", "Chào {{first_name}}"),
        ("  giữ khoảng trắng  ", "", "Lan", "  giữ khoảng trắng  "),
        ("50% {tất cả}", "", "Lan", "50% {tất cả}"),
    ],
)
def test_a_name_is_put_in(text: str, fallback: str, name: str | None, read: str) -> None:
    assert text_for(name, text, fallback) == read


def test_a_fallback_may_hold_what_means_something_to_a_pattern() -> None:
    assert text_for(None, "Chào {{first_name}}", r"\1 \g<0>") == r"Chào \1 \g<0>"


def test_placeholders_wait_in_the_stored_body() -> None:
    assert render("text", {"text": "Chào {{first_name}}", "fallback": "bạn"}) == {
        "text": "Chào {{first_name|bạn}}"
    }


def test_personalising_reaches_every_part_and_changes_nothing_in_place() -> None:
    content = {"text": "{{first_name}}", "buttons": [{"title": "Xem", "url": "https://hoa.vn"}]}
    body = render("buttons", content)
    before = copy.deepcopy(body)
    assert personalise(body, "Lan")["attachment"]["payload"]["text"] == "Lan"
    assert body == before


def test_buttons_open_links_or_lead_to_messages() -> None:
    buttons = [{"title": "Cửa hàng", "url": "https://hoa.vn"}, {"title": "Giá", "message_id": 7}]
    payload = render("buttons", {"text": "Chọn", "buttons": buttons})["attachment"]["payload"]
    assert payload["buttons"] == [
        {"type": "web_url", "title": "Cửa hàng", "url": "https://hoa.vn"},
        {"type": "postback", "title": "Giá", "payload": "message:7"},
    ]


def test_a_quick_reply_may_ask_about_a_topic_again() -> None:
    content = {"text": "Nữa không?", "replies": [{"title": "Có", "asks_topic": 7}]}
    assert render("quick_replies", content)["quick_replies"][0]["payload"] == "ask:7"
    under = {"text": "Hàng về", "replies": [{"title": "Lần sau nữa", "asks_topic": 7}]}
    assert render("text", under)["quick_replies"][0]["payload"] == "ask:7"


def test_quick_replies_lead_to_messages() -> None:
    body = render("quick_replies", {"text": "Size?", "replies": [{"title": "S", "message_id": 3}]})
    assert body["quick_replies"] == [{"content_type": "text", "title": "S", "payload": "message:3"}]


def test_a_request_carries_its_promise_and_the_way_back() -> None:
    payload = Otnr().render_request({"title": "Báo tôi khi mở bán"}, "otn.x")["attachment"]["payload"]
    assert payload == {
        "template_type": "one_time_notif_req",
        "title": "Báo tôi khi mở bán",
        "payload": "otn.x",
    }


def test_an_image_is_sent_by_its_address() -> None:
    assert render("image", {"url": "https://hoa.vn/a.jpg"})["attachment"]["payload"]["url"] == (
        "https://hoa.vn/a.jpg"
    )


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("Chào {{first_name}} {{first_name|bạn}}", None),
        ("Chào {{last_name}}", "{{last_name}}"),
        ("Chào {{first_name}", "{{first_name}"),
        ("50% {tất cả}", None),
    ],
)
def test_a_placeholder_that_is_none_of_ours_is_noticed(text: str, strange: str | None) -> None:
    assert strange_placeholder(text) == strange


@given(text=st.text(), name=st.text(), fallback=st.text(alphabet=st.characters(exclude_characters="{}")))
def test_no_name_makes_a_text_longer_than_was_counted(text: str, name: str, fallback: str) -> None:
    whole = normalise_text(f"{text} {{{{first_name}}}} {text}")
    read = text_for(name, whole, fallback)
    assert len(read.encode("utf-16-le", "surrogatepass")) // 2 <= longest_length(whole, fallback)


PARTS = st.sampled_from(
    ["{{first_name}}", "{{first_name|ba\u0323n}}", "e\u0301", "🎁", "👩‍👧", "\u200b", "\n", " ", "ạ"]
)


@given(st.lists(PARTS | st.text(max_size=3)).map("".join), st.lists(PARTS).map("".join), st.integers(1, 300))
def test_the_counter_shows_what_is_checked_and_never_less_than_what_is_sent(
    part: str, name: str, times: int
) -> None:
    text = part * times
    typed = {"text": text, "fallback": "bạn"}
    kept = clean_block(BlockDraft("text", typed)).content
    counted = longest_length(text, "bạn")
    assert counted == longest_length(kept["text"], kept["fallback"])
    problems = [dict(one.values) for one in check_block("text", typed)]
    checked = [values["count"] for values in problems if "count" in values]
    assert checked in ([counted], []) if counted > message_limits.TEXT_LIMIT else checked == []
    for known in (name, None):
        sent = personalise(render("text", kept), known)["text"]
        assert units(sent) <= counted


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u2800 \u00ad", "\x00"])
def test_a_name_that_nobody_sees_is_no_name(name: str) -> None:
    assert text_for(name, "Chào {{first_name|bạn}} ơi") == "Chào bạn ơi"


@given(st.text())
def test_a_name_never_takes_more_than_its_room(name: str) -> None:
    read: Any = text_for(name, "{{first_name|x}}")
    assert len(read) <= NAME_ROOM
