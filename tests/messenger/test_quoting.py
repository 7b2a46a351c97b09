"""Our quoting gives what the standard library's gives, for any text."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from core.messenger.percent_encoding import encode_form, percent_encode


@given(st.text())
def test_any_text_is_quoted_as_the_library_does(text: str) -> None:
    assert percent_encode(text) == quote(text.encode("utf-8", "surrogatepass"), safe="")


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=4))
def test_a_form_is_read_back_as_it_was(fields: dict[str, str]) -> None:
    readable = {k: v for k, v in fields.items() if all(s.isprintable() for s in (k, v))}
    assert parse_qs(encode_form(readable)) == parse_qs(urlencode(readable))
