"""What may be said, and what a careful colleague would warn about."""

from typing import Any

import pytest

from core.conversation import rules
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.entry_points import check_entry_points
from core.conversation.promises import warn_promise

LEADS = {"title": "Xem", "url": "https://hoa.vn/sp?a=1"}


def fields(problems: list[Any]) -> list[str]:
    return [one.field for one in problems]


@pytest.mark.parametrize(
    ("kind", "content", "wrong"),
    [
        ("text", {"text": "Chào {{first_name}}", "fallback": "bạn"}, []),
        ("text", {"text": "a" * 1999}, []),
        ("text", {"text": "a" * 2000}, ["text"]),
        ("text", {"text": "🎁" * 1000}, ["text"]),  # two units each
        ("text", {"text": "a" * 1950 + "{{first_name}}"}, ["text"]),  # a name would not fit
        ("text", {"text": "  "}, ["text"]),
        ("text", {"text": "\u200b\u2060\n\u3164"}, ["text"]),  # nobody sees it
        ("text", {"text": "{{first_name}}"}, ["fallback"]),  # nothing is left of it without a name
        ("text", {"text": "{{first_name}}\u200b", "fallback": "\ufeff"}, ["fallback"]),
        ("text", {"text": "é" * 1999}, []),  # 1999 however they are spelt
        ("text", {"text": "e\u0301" * 1999}, []),
        ("text", {"text": " " + "a" * 1999 + "\u200b\n"}, []),  # the ends are not kept
        ("text", {"text": None}, ["text"]),
        ("text", {"text": "{{ten}}"}, ["text"]),
        ("text", {"text": "{{first_name}}", "fallback": "{bạn}"}, ["fallback"]),
        ("image", {"url": "https://hoa.vn/a b.jpg"}, ["url"]),
        ("image", {"url": "hoa.vn/a.jpg"}, ["url"]),
        ("image", {"url": "javascript:alert(1)"}, ["url"]),
        ("image", {}, ["url"]),
        ("image", {"url": "https://hoa.vn/a.jpg"}, []),
        ("image", {"url": "\ufeff“https://hoa.vn/a.jpg”"}, []),
        ("buttons", {"text": "Chọn", "buttons": [LEADS]}, []),
        ("buttons", {"text": "Chọn", "buttons": []}, ["buttons"]),
        ("buttons", {"text": "Chọn", "buttons": [LEADS] * 4}, ["buttons"]),
        ("buttons", {"text": "a" * 641, "buttons": [LEADS]}, ["text"]),
        (
            "buttons",
            {"text": "Chọn", "buttons": [{"title": "a" * 21, "url": ""}]},
            ["buttons.0.title", "buttons.0.url"],
        ),
        ("buttons", {"text": "Chọn", "buttons": [LEADS, {"title": "Giá", "message_id": 4}]}, []),
        ("quick_replies", {"text": "Size?", "replies": [{"title": "S"}]}, ["replies.0.message_id"]),
        ("quick_replies", {"text": "Size?", "replies": [{"title": "S", "asks_topic": 1}]}, []),
        ("quick_replies", {"text": "Size?", "replies": [{"title": "S", "message_id": 1}] * 13}, []),
        ("quick_replies", {"text": "Size?", "replies": [{"title": "S", "message_id": 1}] * 14}, ["replies"]),
        ("poll", {}, ["kind"]),
    ],
)
def test_a_block_is_checked(kind: str, content: dict[str, Any], wrong: list[str]) -> None:
    assert fields(rules.check_block(kind, content)) == wrong


@pytest.mark.parametrize(
    ("title", "topic_id", "after", "wrong"),
    [
        ("Báo tôi khi mở bán đợt 2", 1, "Cảm ơn {{first_name|bạn}}", []),
        ("a" * 65, 1, "", []),
        ("a" * 66, 1, "", ["title"]),
        ("e\u0301" * 65, 1, "\u200b", []),
        ("\u200b\u200d", 1, "", ["title"]),
        ("", 1, "", ["title"]),
        ("Báo {{first_name}}", 1, "", ["title"]),
        ("Báo tôi", None, "", ["topic_id"]),
        ("Báo tôi", 1, "{{x}}", ["after"]),
    ],
)
def test_an_otnr_is_checked(title: str, topic_id: int | None, after: str, wrong: list[str]) -> None:
    assert fields(rules.check_block("otnr", {"title": title, "after": after}, topic_id=topic_id)) == wrong


def test_the_problems_of_a_message_say_where_they_are() -> None:
    blocks = [BlockDraft("text", {"text": "ok"}), BlockDraft("image", {})]
    problems = rules.check_message(" ", blocks, [EntryDraft("ref", value="🌸")])
    assert fields(problems) == ["name", "blocks.1.url", "entry_points"]


def test_a_message_needs_a_block_and_has_at_most_ten() -> None:
    assert fields(rules.check_message("Chào", [], [])) == ["blocks"]
    assert fields(rules.check_message("Chào", [BlockDraft("text", {"text": "a"})] * 11, [])) == ["blocks"]


@pytest.mark.parametrize(
    ("entries", "good"),
    [
        ([EntryDraft("get_started")], True),
        ([EntryDraft("keyword", "exact", "giá"), EntryDraft("keyword", "contains", "GIÁ ?")], False),
        ([EntryDraft("keyword", "exact", "bán"), EntryDraft("keyword", "exact", "bàn")], True),
        ([EntryDraft("keyword", "exact", " ")], False),
        ([EntryDraft("keyword", "starts", "giá")], False),
        ([EntryDraft("keyword", "exact", "a" * 101)], False),
        ([EntryDraft("ref", None, "tet-2027")], True),
        ([EntryDraft("ref", None, "tết")], True),
        ([EntryDraft("ref", None, "🌸")], False),
        ([EntryDraft("comment")], False),
        ([EntryDraft("comment", "any")], True),
        ([EntryDraft("fax")], False),
    ],
)
def test_entry_points_are_checked(entries: list[EntryDraft], good: bool) -> None:
    assert (check_entry_points(entries) == []) is good


@pytest.mark.parametrize(
    "title",
    [
        "Nhận quà khi đăng ký",
        "Bấm để nhận 50k tiền mặt",
        "MIỄN PHÍ vận chuyển",
        "mien phi ship",
        "Win a prize now",
    ],
)
def test_a_gift_for_a_tap_is_warned_about(title: str) -> None:
    assert "reward" in warn_promise(title)[0].message


@pytest.mark.parametrize(
    "title", ["Nhận thông báo", "Cập nhật tin mới từ shop", "Get our latest news", "🔔🔔"]
)
def test_a_promise_that_says_nothing_is_warned_about(title: str) -> None:
    assert "does not say" in warn_promise(title)[0].message


@pytest.mark.parametrize(
    "title",
    [
        "Báo tôi khi mở bán đợt 2",
        "Thông báo khuyến mãi SP mới",
        "Tell me when the spring roses arrive",
        "Hàng thường về lúc 9h",
        "",
    ],
)
def test_a_clear_promise_is_let_be(title: str) -> None:
    assert warn_promise(title) == []


def test_quick_replies_before_another_block_are_warned_about() -> None:
    quick = BlockDraft("quick_replies", {"text": "Size?", "replies": []})
    text = BlockDraft("text", {"text": "Chào"})
    assert fields(rules.warn_message([quick, text])) == ["blocks.0.replies"]
    assert rules.warn_message([text, quick]) == []


def test_a_name_without_a_stand_in_is_warned_about() -> None:
    assert fields(rules.warn_message([BlockDraft("text", {"text": "Chào {{first_name}}"})])) == [
        "blocks.0.fallback"
    ]
    assert rules.warn_message([BlockDraft("text", {"text": "Chào {{first_name|bạn}}"})]) == []
