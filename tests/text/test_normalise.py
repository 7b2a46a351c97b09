"""Texts made clean: one spelling, nothing that no database takes, no invisible ends."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.normalise import is_blank, name_key, normalise_name, normalise_text, storable
from core.text.utf16_units import cut, length, units

PROMISE = "Báo tôi khi bộ sưu tập hoa Tết về đến cửa hàng lần đầu tiên"  # 59 letters
SPOILT = st.text(
    st.characters()
    | st.sampled_from("\u200b\u200d\u200e\u202b\u202c\u2067\u2069\ufe0f\ufeff\u00a0\n\0\ud83c e\u0301")
)
INVISIBLE = ["\u200b", "\u200c\u200d", "\ufeff", "\u2060", "\u00ad", "\u200e\u200f", "\u202b\u202c", "\u00a0",
             "\u3000", "\u3164", "\u2800", "\ufe0f", "\t\n", "\x00\x07",
             "\U000e0001", "\ud83c", ""]  # fmt: skip


@given(SPOILT)
def test_cleaning_twice_is_cleaning_once(text):
    for clean in (normalise_text, normalise_name, storable):
        assert clean(clean(text)) == clean(text)


@given(SPOILT)
def test_what_is_clean_can_be_stored_and_sent(text):
    clean = normalise_text(text)
    assert clean.encode("utf-8").decode() == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert not {sign for sign in clean if unicodedata.category(sign) == "Cc"} - {"\n", "\t"}
    assert is_blank(clean) == (clean == "")


@given(st.text())
def test_both_spellings_of_a_character_are_one(text):
    both = {normalise_text(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert len(both) == 1
    assert len({name_key(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}) == 1


def test_a_decomposed_promise_is_as_long_as_it_looks():
    decomposed = unicodedata.normalize("NFD", PROMISE)
    assert (len(PROMISE), units(decomposed)) == (59, 80)
    assert length(decomposed) == length(PROMISE) == 59


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_a_text_that_nobody_can_see_is_empty(text):
    assert normalise_text(text) == normalise_name(f" {text}\n{text} ") == ""
    assert is_blank(text)
    assert normalise_text(f"{text}Chào{text}").removesuffix("\ufe0f") == "Chào"


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧 cả nhà",
        "Yêu ❤️",
        "1️⃣ 2️⃣",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "سلام‌ها: می‌خواهم",
        "Xem \u2067שלום\u2069",
        "a\u200bb",
        "hai\ndòng\n\ncách nhau",
        "🇻🇳",
    ],
)
def test_what_belongs_inside_a_text_stays(text):
    assert normalise_text(text) == text
    assert normalise_text(f"\ufeff\u200e {text}\u200b ") == text


def test_what_closes_nothing_goes_with_the_ends():
    assert normalise_text("\u202bChào\u202c") == "Chào"


def test_lines_end_alike_and_a_name_has_one():
    assert normalise_text("a\r\nb\rc\u2028d\x0be") == "a\nb\nc\nd\ne"
    assert normalise_name("  Hoa\r\nTết\u00a0\t2027 ") == "Hoa Tết 2027"


def test_halves_that_make_a_character_are_joined():
    assert normalise_text("\ud83c\udf38 hoa \ud83c") == "🌸 hoa"


def test_what_the_platform_says_is_kept_as_it_is_where_a_database_takes_it():
    assert storable("a\ud800\x00b") == "a? b"
    assert storable(" otn.x\u200b ") == "otn.x\u200b"


@pytest.mark.parametrize(("text", "count"), [("", 0), ("ạ", 1), ("🎉", 2), ("\ud800", 1), ("e\u0301", 2)])
def test_units_are_those_of_utf_16(text, count):
    assert units(text) == count


def test_names_that_look_alike_have_one_key():
    for other in ("KHUYẾN MÃI", "Khuyến mã\u200bi", " khuyến  mãi\ufeff", "khuyến\u00a0mãi"):
        assert name_key(other) == name_key("Khuyến mãi")
    assert name_key("Khuyen mai") != name_key("Khuyến mãi")


@given(st.text(), st.integers(0, 30))
def test_what_is_cut_fits_and_begins_as_before(text, limit):
    shorter = cut(text, limit)
    assert units(shorter) <= limit
    assert normalise_text(text).startswith(shorter) or not unicodedata.is_normalized("NFC", shorter)
    assert cut(shorter, limit) == shorter


def test_no_character_is_cut_in_two():
    assert cut("🌸🌸🌸", 5) == "🌸🌸"
    assert cut("👩‍👧", 3) == "👩"
