"""Text as people mean it: without case, marks and punctuation. Vietnamese is typed with and without marks."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_D = str.maketrans("đ", "d")


@lru_cache(maxsize=8192)  # a fanpage's keywords are folded for every message that arrives
def fold(text: str) -> str:
    """Lower case, no marks, đ as d, no punctuation, single spaces: "Giá  CẢ?" and "gia ca" are one."""
    return " ".join(_bare(word) for word in words(text))


def words(text: str) -> list[str]:
    """The words of a text in lower case with their marks; what is only punctuation is no word."""
    spaced = "".join(" " if _is_noise(sign) else sign for sign in _lower(text))
    return [word for word in spaced.split() if _bare(word)]


def is_same_word(said: str, wanted: str) -> bool:
    """Whether a customer's word may be the wanted one: typed with fewer marks, never with other ones.

    "ban" may mean "bán", yet "bạn" does not; a keyword kept without marks takes any ("hoà" equals "hòa").
    """
    if _bare(said) != _bare(wanted):
        return False
    marks = _marks(wanted)
    return not marks or _marks(said) <= marks


def _lower(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())


def _is_noise(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "PZC"


@lru_cache(maxsize=4096)
def _bare(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word)
    return "".join(sign for sign in letters if not unicodedata.category(sign).startswith("M")).translate(_D)


@lru_cache(maxsize=4096)
def _marks(word: str) -> frozenset[str]:
    letters = unicodedata.normalize("NFD", word)
    return frozenset(sign for sign in letters if sign == "đ" or unicodedata.category(sign).startswith("M"))
