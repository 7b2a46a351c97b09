"""The kinds of a button, wherever it stands: under a text, or on a card.

A button is a dict with a `title` and where it leads: `url` (opens it), `message_id` (the bot answers with
that message), `phone` (calls that number), `stop` ("all" or a topic's id: no more notifications, or none
about that topic) or `asks_topic` (a topic's id: the bot asks for an opt-in about it once more).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.conversation.blocks.button_titles import check_title, clean_title
from core.conversation.blocks.kind import text_in
from core.conversation.blocks.links import check_link, clean_link
from core.conversation.payloads import ASK_PAYLOAD, MESSAGE_PAYLOAD, STOP_ALL, STOP_PAYLOAD
from core.errors import N_, Problem, problem
from core.messenger import message_limits, wire

Button = Mapping[str, Any]

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_NOT_DIALLED = re.compile(r"[\s.()\u2010-\u2015/-]+")
_TARGETS = ("stop", "message_id", "asks_topic")


def buttons_of(content: Mapping[str, Any]) -> list[Button]:
    return list(content.get("buttons") or [])


def clean_button(button: Button) -> dict[str, Any]:
    title = clean_title(button)
    for target in _TARGETS:
        if button.get(target):
            return {"title": title, target: button[target]}
    if button.get("phone") is not None:
        return {"title": title, "phone": clean_phone(text_in(button, "phone"))}
    return {"title": title, "url": clean_link(button)}


def clean_phone(typed: str) -> str:
    """A phone number with its country code, as Messenger wants it. One that begins with a single 0 is
    Vietnamese."""
    bare = _NOT_DIALLED.sub("", typed)
    if bare.startswith("00"):
        return f"+{bare[2:]}"
    return f"+84{bare[1:]}" if bare.startswith("0") else bare


def check_buttons(buttons: Sequence[Button], *, path: str = "buttons", least: int = 1) -> list[Problem]:
    """What is wrong with the list, or with one of the buttons; `path` is of the list."""
    limit = message_limits.BUTTONS_LIMIT
    if not least <= len(buttons) <= limit:
        return [problem(path, N_("Add 1 to {limit} buttons."), limit=limit)]
    return [one for place, button in enumerate(buttons) for one in _check_button(f"{path}.{place}", button)]


def _check_button(path: str, button: Button) -> list[Problem]:
    found = check_title(f"{path}.title", button.get("title"), message_limits.BUTTON_TITLE_LIMIT)
    if any(button.get(target) for target in _TARGETS):
        return found
    if button.get("phone") is not None:
        phone = text_in(button, "phone")
        if not _PHONE.fullmatch(clean_phone(phone)):
            words = N_("“{value}” is not a phone number; write it like 0901 234 567 or +84 901 234 567.")
            found.append(problem(f"{path}.phone", words, value=phone[:40]))
        return found
    missing = N_("Choose where the button leads: a web address or a message.")
    return found + check_link(f"{path}.url", button.get("url"), missing)


def messages_behind(buttons: Iterable[Button]) -> set[int]:
    """The messages that they lead to."""
    return {button["message_id"] for button in buttons if button.get("message_id")}


def topics_named_by(buttons: Sequence[Button]) -> set[int]:
    """The topics about which they let a customer stop notifications, or ask for them."""
    stops = (button.get("stop") for button in buttons)
    return {stop for stop in stops if stop not in (None, STOP_ALL)} | topics_asked_by(buttons)


def topics_asked_by(buttons: Iterable[Button]) -> set[int]:
    """The topics that they ask about once more."""
    return {button["asks_topic"] for button in buttons if button.get("asks_topic")}


def render_button(button: Button) -> wire.Button:
    title = text_in(button, "title")
    if button.get("stop"):
        return wire.Button(title, payload=f"{STOP_PAYLOAD}{button['stop']}")
    if button.get("asks_topic"):
        return wire.Button(title, payload=f"{ASK_PAYLOAD}{button['asks_topic']}")
    if button.get("message_id"):
        return wire.Button(title, payload=f"{MESSAGE_PAYLOAD}{button['message_id']}")
    if button.get("phone") is not None:
        return wire.Button(title, phone=clean_phone(text_in(button, "phone")))
    return wire.Button(title, url=text_in(button, "url"))
