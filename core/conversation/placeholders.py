"""The customer's first name in texts: {{first_name}}, or {{first_name|bạn}} with what stands in for it."""

from __future__ import annotations

import re
from typing import Any

from core.text.normalise import normalise_name, normalise_text
from core.text.utf16_units import cut, length, units

NAME_ROOM = 50  # characters kept free for a name wherever one is put in; a longer name is cut
_NAME = re.compile(r"( ?)\{\{\s*first_name\s*(?:\|([^{}]*))?\}\}")
_BARE_NAME = re.compile(r"\{\{\s*first_name\s*\}\}")


def personalise(message: dict[str, Any], first_name: str | None) -> dict[str, Any]:
    """A copy of a rendered message with the customer's name, else the fallback, in every placeholder."""
    name = _clean_name(first_name)
    return {key: _filled(value, name) for key, value in message.items()}


def has_placeholder(text: str) -> bool:
    return bool(_NAME.search(text))


def strange_placeholder(text: str) -> str | None:
    """A {{...}} that is none of ours, as typed."""
    found = re.search(r"\{\{[^{}]*\}?\}?", _NAME.sub("", text))
    return found.group() if found else None


def longest_length(text: str, fallback: str = "") -> int:
    """The most characters the text, however it was typed, can have once a name or the fallback is put in."""
    clean = normalise_text(text)
    names = [max(NAME_ROOM, length(found[2] or fallback)) for found in _NAME.finditer(clean)]
    return units(_NAME.sub(lambda found: found[1], clean)) + sum(names)


def unnamed(text: str, fallback: str) -> str:
    """What is left of a text for a customer whose name is not known."""
    return _named(with_fallback(text, fallback), "")


def with_fallback(text: str, fallback: str) -> str:
    """The text with the fallback written into each placeholder that brings none of its own."""
    clean = normalise_name(fallback)
    return _BARE_NAME.sub(lambda _: "{{first_name|" + clean + "}}", text) if clean else text


def _filled(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, name) for inner in value]
    return _named(value, name) if isinstance(value, str) else value


def _named(text: str, name: str) -> str:
    """Without name and fallback the space before the gap goes, too: "Chào {{first_name}}!" → "Chào!"."""

    def fill(found: re.Match[str]) -> str:
        called = name or normalise_name(found[2] or "")
        return found[1] + called if called else ""

    filled = _NAME.sub(fill, text)
    return filled if filled == text else filled.strip(" ")


def _clean_name(first_name: str | None) -> str:
    return cut(normalise_name(first_name or ""), NAME_ROOM)
