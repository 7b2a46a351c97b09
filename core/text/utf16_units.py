"""Counts texts as the platform may count them, and cuts them.

The platform names no unit. UTF-16 units are never fewer than what it may count (an emoji is two), so
counters, limits and what is sent all use them.
"""

from __future__ import annotations

from core.text.normalise import normalise_text


def length(text: str) -> int:
    """The length of a text as it is stored and sent, in UTF-16 units, however it was typed."""
    return units(normalise_text(text))


def units(text: str) -> int:
    """The UTF-16 units of exactly these characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """Normalise a text and cut it to at most so many UTF-16 units, without cutting a character in two."""
    whole = normalise_text(text)
    if units(whole) <= limit:
        return whole
    return normalise_text(whole.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore"))
