"""Text as people mean it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.matching import has_marks, search_key, spelling, words


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Giá  CẢ?", "gia ca"),
        ("ĐĂNG KÝ nhận thông báo", "dang ky nhan thong bao"),
        ("khuye\u0302\u0301n ma\u0303i", "khuyen mai"),  # decomposed, as iOS sends it
        ("hoà, hòa; HOÀ!", "hoa hoa hoa"),
        ("…!?", ""),
        ("", ""),
        ("t-shirt 50.000đ", "t shirt 50 000d"),
        ("🎁 quà", "🎁 qua"),
        ("zero\u200bwidth", "zero width"),
    ],
)
def test_a_text_is_folded_to_what_it_means(typed: str, folded: str) -> None:
    assert search_key(typed) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert search_key(search_key(text)) == search_key(text)


@given(st.text())
def test_words_and_folded_words_stay_side_by_side(text: str) -> None:
    assert len(words(text)) == len(search_key(text).split())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("hoà", "hòa", True),  # two schools of spelling
        ("hủy", "huỷ", True),
        ("bán", "bàn", False),
        ("ban", "bán", False),
        ("đi", "di", False),
    ],
)
def test_words_are_spelt_alike_wherever_the_tone_mark_stands(one: str, other: str, same: bool) -> None:
    assert (spelling(one) == spelling(other)) is same


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("giá", True),
        ("Đi", True),
        ("gia ca", False),
        ("", False),
        ("❤️ 1️⃣ 👨‍👩‍👧", False),
        ("caf\u0065\u0301", True),
    ],
)
def test_a_text_is_typed_with_marks_or_without(text: str, marked: bool) -> None:
    assert has_marks(text) is marked
