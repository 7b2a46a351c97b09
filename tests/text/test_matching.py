"""Text as people mean it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.matching import is_same_word, search_key, words


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
    ("said", "wanted", "same"),
    [
        ("ban", "bán", True),  # typed without marks
        ("bạn", "bán", False),  # another word
        ("khuyên", "khuyến", True),  # typed with some of the marks
        ("bạn", "ban", True),  # the keyword was kept without marks
        ("hoà", "hòa", True),  # two schools of spelling
        ("di", "đi", True),
        ("đi", "dì", False),
        ("mua", "bán", False),
    ],
)
def test_fewer_marks_are_the_same_word_other_marks_are_not(said: str, wanted: str, same: bool) -> None:
    assert is_same_word(said, wanted) is same
