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


def is_same_word(said: str, wanted: str) -> bool:
    """Whether a customer's word may be the wanted one: typed with fewer marks, never with other ones.

    "ban" may mean "bán", yet "bạn" does not; a keyword kept without marks takes any ("hoà" equals "hòa").
    """
    if _bare(said) != _bare(wanted):
        return False
    marks = _marks(wanted)
    return not marks or _marks(said) <= marks


def _lower(text: str) -> str:
    seen = UNSEEN_SIGNS.sub("", text.translate(_BREAKS))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).lower())


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
