"""Which texts are a no: the whole message, however it is written, and nothing that only contains one."""

import unicodedata

import pytest

from core.consent.stop_words import DEFAULT, check_stop_words, find_stop_word, stopped
from core.text.catalogues import say_in


@pytest.mark.parametrize(
    "text",
    [
        "dừng",
        " DỪNG! ",
        "hủy",
        "huỷ",
        "Hủy đăng ký.",
        "huỷ đăng ký",
        "huy dang ky",
        "STOP",
        "stop 🛑",
        "Unsubscribe",
        "ngừng nhận tin",
        unicodedata.normalize("NFD", "dừng"),
    ],
)
def test_a_stop_word_however_it_is_written(text):
    assert find_stop_word(text, DEFAULT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "…",
        "đúng",
        "dung",
        "Dung",
        "dùng",
        "Huy",
        "hủy đơn hàng",
        "đừng dừng",
        "stop it please",
        "pots",
        "khi nào dừng nhận tin?",
    ],
)
def test_what_only_looks_like_one_is_none(text):
    assert find_stop_word(text, DEFAULT) is None


def test_a_list_has_words_and_not_too_many():
    assert check_stop_words(DEFAULT) == []
    assert check_stop_words([])
    assert check_stop_words(["…"])
    assert check_stop_words(["a" * 101])
    assert check_stop_words([f"từ {n}" for n in range(51)])


def test_the_answer_names_what_has_ended():
    assert "Tiệm Hoa Mai" in stopped("Tiệm Hoa Mai", None, say_in("vi"))
    assert "Hoa hồng" in stopped("Tiệm Hoa Mai", "Hoa hồng", say_in("vi"))
    assert stopped("Tiệm {Hoa}", None, say_in("en")).startswith("Done: Tiệm {Hoa} will")
