"""Which message an event calls for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation.drafts import KeywordMatch
from core.conversation.entry_kinds.kind import FoundEntry, KnownEntry
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_points import find_entry, message_in

WELCOME, PRICES, SALE, SELLING, TABLES, SHIPPING = range(1, 7)
KNOWN = [
    KnownEntry(WELCOME, EntryKind.GET_STARTED, None, ""),
    KnownEntry(PRICES, EntryKind.KEYWORD, KeywordMatch.CONTAINS, "giá"),
    KnownEntry(SALE, EntryKind.KEYWORD, KeywordMatch.CONTAINS, "giá khuyến mãi"),
    KnownEntry(SELLING, EntryKind.KEYWORD, KeywordMatch.CONTAINS, "bán"),
    KnownEntry(TABLES, EntryKind.KEYWORD, KeywordMatch.EXACT, "bàn"),
    KnownEntry(SHIPPING, EntryKind.REF, None, "Ship-2026"),
    KnownEntry(WELCOME, EntryKind.KEYWORD, KeywordMatch.EXACT, "."),
]


def answering(**event: str) -> int | None:
    called = find_entry(KNOWN, **event)
    return called.message_id if called else None


@pytest.mark.parametrize(
    ("text", "message_id"),
    [
        ("giá", PRICES),
        ("GIÁ?", PRICES),
        ("gia bao nhieu vay shop", PRICES),
        ("cho mình hỏi giá khuyến mãi với", SALE),  # the longest keyword wins
        ("gia khuyen mai", SALE),
        ("bàn", TABLES),  # exact with marks before the same letters
        ("bán", SELLING),
        ("ban", SELLING),  # both read the same: the older one
        ("cái bàn này", None),  # an exact keyword wants the whole message
        ("bạn ơi cho hỏi", None),  # "bạn" is not "bán"
        ("giáo viên", None),  # whole words only
        (".", WELCOME),
        ("..", None),
        ("xin chào", None),
        ("   ", None),
    ],
)
def test_words_call_for_a_message(text: str, message_id: int | None) -> None:
    assert answering(text=text) == message_id


def test_the_get_started_button_calls_for_its_message() -> None:
    assert find_entry(KNOWN, payload="GET_STARTED") == FoundEntry(WELCOME, EntryKind.GET_STARTED, "")


def test_the_ref_of_a_link_wins_over_get_started() -> None:
    assert answering(payload="GET_STARTED", ref="Ship-2026") == SHIPPING


def test_an_unknown_ref_falls_back_to_get_started() -> None:
    assert answering(payload="GET_STARTED", ref="old-poster") == WELCOME


def test_a_ref_in_other_case_still_leads_there() -> None:
    assert answering(ref="ship-2026") == SHIPPING


def test_a_button_leads_to_its_message_and_is_named_by_its_title() -> None:
    assert find_entry(KNOWN, payload="message:42", text="Xem giá") == FoundEntry(
        42, EntryKind.BUTTON, "Xem giá"
    )


def test_a_button_whose_message_is_gone_is_taken_by_its_words() -> None:
    assert find_entry(KNOWN, payload="message:42", text="giá", has_message=False).message_id == PRICES


@pytest.mark.parametrize(
    "payload", ["message:", "message:-1", "message:1x", "message:١", "7", None, "message:" + "9" * 40]
)
def test_a_payload_that_is_not_ours_names_no_message(payload: str | None) -> None:
    assert message_in(payload) is None


@given(text=st.text(), payload=st.text(), ref=st.text())
def test_whatever_comes_in_never_breaks_the_search(text: str, payload: str, ref: str) -> None:
    called = find_entry(KNOWN, text=text, payload=payload, ref=ref, has_message=False)
    assert called is None or called.message_id in range(1, 7)


@given(before=st.lists(st.sampled_from(["alo", "shop", "ơi", "cho", "em", "hỏi", "với", "nha"])))
def test_a_contained_keyword_is_found_wherever_it_stands(before: list[str]) -> None:
    assert answering(text=" ".join([*before, "giá", *reversed(before)])) == PRICES


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ("message:42", EntryKind.BUTTON),
        ("menu:42", EntryKind.MENU),
        ("ice_breaker:42", EntryKind.ICE_BREAKER),
    ],
)
def test_each_thing_that_is_tapped_names_its_message_and_its_kind(payload: str, kind: str) -> None:
    assert message_in(payload) == 42
    assert find_entry(KNOWN, payload=payload, text="Xem") == FoundEntry(42, kind, "Xem")


COMMENTED = [
    KnownEntry(PRICES, EntryKind.COMMENT, KeywordMatch.CONTAINS, "giá"),
    KnownEntry(WELCOME, EntryKind.COMMENT, "any", ""),
    KnownEntry(SALE, EntryKind.KEYWORD, KeywordMatch.CONTAINS, "mua"),
]


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("Giá sao shop?", FoundEntry(PRICES, EntryKind.COMMENT, "giá")),
        ("mua một bó", FoundEntry(WELCOME, EntryKind.COMMENT, "")),  # a keyword is for the chat
        ("", FoundEntry(WELCOME, EntryKind.COMMENT, "")),  # a picture or sticker
    ],
)
def test_a_comment_calls_for_the_message_that_answers_comments(comment: str, found: FoundEntry) -> None:
    assert find_entry(COMMENTED, comment=comment) == found


def test_comments_and_words_of_the_chat_are_kept_apart() -> None:
    assert find_entry(COMMENTED, text="giá") is None
    assert find_entry(COMMENTED[:1], comment="hoa đẹp") is None
