"""What the phone of the preview can draw, as plain data. Every kind of block is shown by these shapes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    TEXT = "text"
    PICTURE = "picture"  # its text is the picture's web address
    CARD = "card"  # a text with buttons under it
    QUICK_REPLIES = "quick_replies"  # a text; its choices stand above the keyboard while nothing follows
    REQUEST = "request"  # a promise, and the button "Notify me" that the platform words
    NOTE = "note"  # a line of the thread that nobody said


@dataclass(frozen=True)
class Bubble:
    """One thing on the screen of a customer's phone."""

    shape: Shape
    text: str = ""
    choices: tuple[str, ...] = ()  # titles of buttons or quick replies
    mine: bool = False  # said by the customer, whose phone it is
    tapped: bool = False  # a request that was answered
    at: str = ""  # a time to print above
