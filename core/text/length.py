"""How long a text is to the platform, which names no unit: counted in UTF-16 units, never less than it may
count (an emoji is two). Counters, limits and what is sent all ask here."""

from __future__ import annotations

from core.text.normalise import normalise_text


def length(text: str) -> int:
    """Of a text as it is stored and sent, however it was typed."""
    return units(normalise_text(text))


def units(text: str) -> int:
    """Of exactly these characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """At most so many units of a text, normalised; no character is cut in two."""
    whole = normalise_text(text)
    if units(whole) <= limit:
        return whole
    return normalise_text(whole.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore"))
