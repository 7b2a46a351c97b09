"""From a block to the `message` object of the Send API, and the customer's name into it (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from core.consent.rules import length
from core.conversation.kinds import MESSAGE_PAYLOAD, STOP_PAYLOAD, BlockKind
from core.messenger import wire

NAME_ROOM = 50  # characters kept free for a name wherever one is put in; a longer name is cut
_NAME = re.compile(r"( ?)\{\{\s*first_name\s*(?:\|([^{}]*))?\}\}")
_BARE_NAME = re.compile(r"\{\{\s*first_name\s*\}\}")


def render(kind: str, content: dict[str, Any], *, payload: str | None = None) -> dict[str, Any]:
    """The wire message of a checked block, placeholders kept; `payload` is what an OTNR sends back."""
    return _RENDERERS[BlockKind(kind)](content, payload)


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
    """The most characters the text can have once a name, or the fallback, is put in."""
    names = [max(NAME_ROOM, length(found[2] or fallback)) for found in _NAME.finditer(text)]
    return length(_NAME.sub(lambda found: found[1], text)) + sum(names)


def _text(content: dict[str, Any], _payload: str | None) -> dict[str, Any]:
    return wire.text(_with_fallback(content))


def _image(content: dict[str, Any], _payload: str | None) -> dict[str, Any]:
    return wire.image(content["url"])


def _buttons(content: dict[str, Any], _payload: str | None) -> dict[str, Any]:
    return wire.buttons(_with_fallback(content), [_button(button) for button in content["buttons"]])


def _quick_replies(content: dict[str, Any], _payload: str | None) -> dict[str, Any]:
    replies = [wire.QuickReply(r["title"], f"{MESSAGE_PAYLOAD}{r['message_id']}") for r in content["replies"]]
    return wire.quick_replies(_with_fallback(content), replies)


def _otnr(content: dict[str, Any], payload: str | None) -> dict[str, Any]:
    return wire.one_time_request(content["title"], payload or "")


_RENDERERS: dict[BlockKind, Callable[[dict[str, Any], str | None], dict[str, Any]]] = {
    BlockKind.TEXT: _text,
    BlockKind.IMAGE: _image,
    BlockKind.BUTTONS: _buttons,
    BlockKind.QUICK_REPLIES: _quick_replies,
    BlockKind.OTNR: _otnr,
}


def _button(button: dict[str, Any]) -> wire.Button:
    if button.get("url"):
        return wire.Button(button["title"], url=button["url"])
    if button.get("stop"):
        return wire.Button(button["title"], payload=f"{STOP_PAYLOAD}{button['stop']}")
    return wire.Button(button["title"], payload=f"{MESSAGE_PAYLOAD}{button['message_id']}")


def _with_fallback(content: dict[str, Any]) -> str:
    """The text with the block's fallback written into each placeholder that brings none of its own."""
    text, fallback = str(content["text"]), str(content.get("fallback") or "").strip()
    if not fallback:
        return text
    return _BARE_NAME.sub(lambda _: "{{first_name|" + fallback + "}}", text)


def _filled(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, name) for inner in value]
    return _named(value, name) if isinstance(value, str) else value


def _named(text: str, name: str) -> str:
    """Without name and fallback the space before the gap goes, too: "Chào {{first_name}}!" → "Chào!"."""

    def fill(found: re.Match[str]) -> str:
        called = name or (found[2] or "").strip()
        return found[1] + called if called else ""

    filled = _NAME.sub(fill, text)
    return filled if filled == text else filled.strip(" ")


def _clean_name(first_name: str | None) -> str:
    name = " ".join((first_name or "").split())
    while length(name) > NAME_ROOM:
        name = name[:-1]
    return name.strip()
