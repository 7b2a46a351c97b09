"""Normalises texts of people: one spelling for each character, nothing that a database refuses, no invisible
characters at the ends. Those inside stay: joiners of emoji, variation selectors, text from right to left.
"""

from __future__ import annotations

import re
import unicodedata

from core.text.invisible import ATTACHED, CLOSERS, OPENERS, UNSEEN_SIGNS, is_unseen

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]+")  # after the line ends; tab and line feed stay
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f]+")
_TAIL = re.compile(f"[{ATTACHED}]*")
_CLOSING_TAIL = re.compile(f"[{ATTACHED}{CLOSERS}]*")


def normalise_text(text: str) -> str:
    """A text as it is counted, compared, stored and sent; it is empty when nothing of it is visible.

    NFC, lines ended by a line feed, no control characters and no halves of a character, no blank or
    invisible characters at the ends. Doing it twice changes nothing more.
    """
    if text.isprintable():  # neither lines nor controls; the usual name, of which there is one per message
        return text.strip(" ") if text.isascii() else _trimmed(unicodedata.normalize("NFC", text))
    lines = _LINE_ENDS.sub("\n", without_halves(text))
    return _trimmed(unicodedata.normalize("NFC", _CONTROLS.sub("", lines)))


def normalise_name(text: str) -> str:
    """Normalise a name, title or keyword as `normalise_text` does, on one line with single spaces."""
    return " ".join(normalise_text(text).split())


def name_key(name: str) -> str:
    """A key that is the same for names which nobody can tell apart: without case and invisible characters."""
    seen = UNSEEN_SIGNS.sub("", normalise_name(name))
    return unicodedata.normalize("NFC", normalise_name(seen).casefold())


def is_blank(text: str) -> bool:
    """Whether nothing of a text is visible."""
    return not normalise_text(text)


def storable(text: str) -> str:
    """A text of the platform (an id, a payload, an error) in a form that every database takes: control
    characters become spaces, and halves of a character question marks."""
    if text.isascii() and text.isprintable():
        return text.strip()  # each message id comes by here
    return _UNSTORABLE.sub(" ", text.encode("utf-8", "replace").decode()).strip()


def without_halves(text: str) -> str:
    """Join two surrogates that make a character, and leave out those that stand alone."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _trimmed(text: str) -> str:
    start, end = 0, len(text)
    while start < end and is_unseen(text[start]):
        start += 1
    while end > start and is_unseen(text[end - 1]):
        end -= 1
    if end - start == len(text):
        return text
    seen = text[start:end]
    tail = _CLOSING_TAIL if OPENERS.search(seen) else _TAIL
    attached = tail.match(text, end) if seen else None
    return seen + attached[0] if attached else seen
