"""Capitals, also one word of them again and again, rows of exclamation marks and of emoji (pure)."""

from __future__ import annotations

import re
import unicodedata

from core.conversation.promises.reading import Reading

_SIGNS = re.compile(r"!{2,}|[!?]{3,}")
_MOST_SIGNS = 2  # exclamation marks in a whole promise, however they are spread
_EMOJI_ROW, _MOST_EMOJI = 3, 3
_NO_EMOJI = frozenset("©®™°℃℉№")
_AGAIN = re.compile(r"\b([^\W\d_]{2,})(?:\W+\1\b){2,}")  # "HOT HOT HOT"
_FEWEST_WORDS = 2
_MANY_NAMES = 4  # so many capital words in a row are no brand any more
_FEWEST_LETTERS = 5  # of a single word that is all there is
# Names and labels that everybody writes in capitals.
_LABELS = frozenset(
    [
        "SALE",
        "FLASH",
        "BLACK",
        "FRIDAY",
        "CYBER",
        "MONDAY",
        "MEGA",
        "VIP",
        "HOT",
        "NEW",
        "FREE",
        "BST",
        "CTKM",
        "SALEOFF",
        "OFF",
        "ONLINE",
    ]
)


def is_shouting(text: str, reading: Reading) -> bool:
    seen = unicodedata.normalize("NFKC", text)
    return _has_rows(seen) or _is_said_again(seen) or _is_in_capitals(seen, reading)


def _is_said_again(text: str) -> bool:
    return any(found[1].isupper() for found in _AGAIN.finditer(text))


def _has_rows(text: str) -> bool:
    longest, count = _emoji(text)
    marks = text.count("!")
    return bool(_SIGNS.search(text)) or marks > _MOST_SIGNS or longest >= _EMOJI_ROW or count > _MOST_EMOJI


def _emoji(text: str) -> tuple[int, int]:
    """The longest row of emoji and how many there are; what joins several signs into one counts as one."""
    longest = row = count = 0
    joined = False
    for sign in text:
        if sign == "\u200d":
            joined = True
        elif _is_emoji(sign):
            row += not joined
            count += not joined
            joined = False
        elif not (unicodedata.category(sign) in ("Mn", "Sk", "Cf") or sign == " "):
            row = 0
        longest = max(longest, row)
    return longest, count


def _is_emoji(sign: str) -> bool:
    return unicodedata.category(sign) == "So" and sign not in _NO_EMOJI


def _is_in_capitals(text: str, reading: Reading) -> bool:
    """Most letters are capitals, and not only of names and abbreviations."""
    words = [_letters(word) for word in re.findall(r"\S+", text)]
    letters = "".join(words)
    if 2 * sum(sign.isupper() for sign in letters) <= len(letters):
        return False
    loud = [word for word in words if len(word) > 1 and word.isupper() and word not in _LABELS]
    ordinary = [word for word in loud if reading.is_ordinary(word)]
    if len(loud) >= _FEWEST_WORDS:
        return bool(ordinary) or len(loud) >= _MANY_NAMES
    return bool(ordinary) and len(loud[0]) >= _FEWEST_LETTERS and len(loud) == len([w for w in words if w])


def _letters(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFC", word) if sign.isalpha())
