"""PSIDs, page ids and tokens: what surrounds them goes, what they are does not change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid, Problem
from core.text.identifiers import is_id, read_id, read_psid, read_token, required_psid, unwrapped

PSID = "2407000000000012"
AROUND = ["", " ", "'", '"', "`", "´", "“", "”", "‘", "’", "«", "»", "\ufeff", "\u200b", "\u200c", "\u200d",
          "\u2060", "\u00ad", "\u200e", "\u200f", "\u202a", "\u202c", "\u2066", "\u2069", "\u00a0", "\u202f",
          "\u3000", "\t", "\n", "\r\n", "\x00", "＂", "\u2800"]  # fmt: skip
decorated = st.tuples(
    st.lists(st.sampled_from(AROUND)).map("".join), st.lists(st.sampled_from(AROUND)).map("".join)
)


@given(st.integers(1, 10**19), decorated)
def test_an_id_is_the_same_whatever_surrounds_it(number, around):
    given_as = str(number).join(around)
    assert read_id(given_as) == read_id(number) == read_psid(given_as) == str(number)


@given(st.text(st.characters(min_codepoint=0x30, max_codepoint=0x7A), min_size=1), decorated)
def test_a_token_keeps_what_is_inside(token, around):
    token = f"T{token}="
    assert read_token(token.join(around)) == token


def test_what_a_spreadsheet_keeps_as_text_is_read():
    assert read_psid(f'="{PSID}"') == read_psid(f"'{PSID}") == read_psid(f' ="“{PSID}”" ') == PSID


NO_ID = ["", "'", "25a", "2 5", "2\u200b5", "-25", "25.0", "2,4E+15", "２５", "٢٥", "²", "1" * 65]


@pytest.mark.parametrize("value", [*NO_ID, None, True, -25, 25.0, 10**64, [], {}], ids=ascii)
def test_what_is_no_id_is_read_as_none(value):
    assert read_id(value) is None
    assert not is_id(value)


def test_a_number_beyond_all_ids_is_none():
    assert read_id(10**5000) is None


@pytest.mark.parametrize("value", NO_ID, ids=ascii)
def test_what_is_no_psid_is_refused_in_words(value):
    wrong = read_psid(value)
    assert isinstance(wrong, Problem)
    assert "PSID" in wrong.message
    with pytest.raises(Invalid, match="PSID"):
        required_psid(value)


@pytest.mark.parametrize(
    "value", ["", "“”", "a b", "a\u200bb", "a\u00a0b", "a\0b", "a\nb", "x" * 2001], ids=ascii
)
def test_what_is_no_token_is_refused_in_words(value):
    wrong = read_token(value)
    assert isinstance(wrong, Problem)
    assert "token" in wrong.message


@given(st.text())
def test_unwrapping_twice_is_unwrapping_once(text):
    assert unwrapped(unwrapped(text)) == unwrapped(text)
    assert unwrapped(text) in text
