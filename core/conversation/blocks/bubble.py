"""What the phone of the preview can draw, as plain data. Every kind of block is shown by these shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.messenger.wire import asked_by


class Shape(StrEnum):
    TEXT = "text"
    PICTURE = "picture"  # its text is the picture's web address
    VIDEO = "video"  # its text is the video's web address
    FILE = "file"  # its text is the file's web address
    CARD = "card"  # a text with buttons under it
    CAROUSEL = "carousel"  # cards beside one another, or a single one
    REQUEST = "request"  # a promise, and the button "Notify me" that the platform words
    NOTE = "note"  # a line of the thread that nobody said


@dataclass(frozen=True)
class Tap:
    """Something that can be tapped: a button or a quick reply. It opens an address, calls, or answers."""

    title: str
    payload: str = ""  # what goes back to us
    url: str = ""
    phone: str = ""
    asks: str = ""  # "email" or "phone": the customer's own, which the phone fills in


@dataclass(frozen=True)
class Card:
    """A card of a carousel."""

    title: str
    subtitle: str = ""
    picture: str = ""
    url: str = ""  # opened by a tap on the card itself
    taps: tuple[Tap, ...] = ()


@dataclass(frozen=True)
class Bubble:
    """One thing on the screen of a customer's phone."""

    shape: Shape
    text: str = ""
    taps: tuple[Tap, ...] = ()  # buttons under it
    replies: tuple[Tap, ...] = ()  # quick replies, above the keyboard while nothing follows
    cards: tuple[Card, ...] = ()
    shown: int = 0  # the place of the card that is in sight at first
    mine: bool = False  # said by the customer, whose phone it is
    tapped: bool = False  # a request that was answered
    at: str = ""  # a time to print above
    key: str = ""  # of the message on the wire, where what is tapped has to name it


def taps_of(buttons: Iterable[Mapping[str, Any]]) -> tuple[Tap, ...]:
    """The buttons of a message of the Send API."""
    return tuple(_tap(button) for button in buttons)


def replies_of(replies: Iterable[Mapping[str, Any]]) -> tuple[Tap, ...]:
    """The quick replies of a message of the Send API."""
    return tuple(_reply(reply) for reply in replies)


def _tap(button: Mapping[str, Any]) -> Tap:
    title, said = str(button.get("title") or ""), str(button.get("payload") or "")
    if button.get("type") == "phone_number":
        return Tap(title, phone=said)
    return Tap(title, payload=said, url=str(button.get("url") or ""))


def _reply(reply: Mapping[str, Any]) -> Tap:
    if asks := asked_by(reply):
        return Tap("", asks=asks)
    return Tap(str(reply.get("title") or ""), payload=str(reply.get("payload") or ""))
