"""Compares texts as people mean them: without case, marks and punctuation. Vietnamese is typed
with and without marks."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from core.text.invisible import UNSEEN_SIGNS

_D = str.maketrans("đ", "d")
_BREAKS = str.maketrans("\u200b\u2800", "  ")  # nobody sees them, yet they stand between words


@lru_cache(maxsize=8192)  # a fanpage's keywords are asked for with every message that arrives
def search_key(text: str) -> str:
    """A key that is the same for texts which differ only in case, marks, punctuation and spaces: "Giá  CẢ?"
    and "gia ca"."""
    return " ".join(_bare(word) for word in words(text))


def words(text: str) -> list[str]:
    """The words of a text in lower case with their marks, without what is only punctuation."""
    spaced = "".join(" " if _is_noise(sign) else sign for sign in _lower(text))
    return [word for word in spaced.split() if _bare(word)]


def spelling(word: str) -> tuple[str, str]:
    """The letters and the marks of one of `words`, apart, so that the place of a tone mark does not matter:
    "hoà" equals "hòa", and "bán" is not "bàn"."""
    signs = unicodedata.normalize("NFD", word)
    marks = sorted(sign for sign in signs if unicodedata.category(sign).startswith("M"))
    return "".join(sign for sign in signs if sign not in marks), "".join(marks)


def has_marks(text: str) -> bool:
    """Whether a text is typed with marks on any of its letters; "đ" counts as a d with one."""
    return any(sign in "đĐ" or unicodedata.combining(sign) for sign in unicodedata.normalize("NFD", text))


def without_marks(text: str) -> str:
    """A text in lower case and without marks: "Đỗ Thị Lan" is "do thi lan"."""
    return _bare(_lower(text))


def _lower(text: str) -> str:
    seen = UNSEEN_SIGNS.sub("", text.translate(_BREAKS))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).lower())


def _is_noise(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "PZC"


@lru_cache(maxsize=4096)
def _bare(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word)
    return "".join(sign for sign in letters if not unicodedata.category(sign).startswith("M")).translate(_D)
