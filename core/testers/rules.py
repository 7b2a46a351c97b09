"""The code word by which a colleague becomes a tester, and what a test is about (pure)."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

CODE_LIFETIME = timedelta(hours=24)
NAME_LIMIT = 60
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowels: it spells no word; no 0, 1, I, O, which look alike
LENGTH = 8
_CODE = re.compile(rf"test\W*([{ALPHABET}]{{{LENGTH}}})\W*", re.IGNORECASE)
REF = "tester."  # + the code: of the link that opens the chat


class About(StrEnum):
    """What is sent as a test."""

    MESSAGE = "message"
    BROADCAST = "broadcast"


def word_for(code: str) -> str:
    """What the colleague writes to the fanpage."""
    return f"TEST-{code}"


def ref_for(code: str) -> str:
    """The ref of the link that does the same."""
    return f"{REF}{code}"


def code_in(text: str | None, ref: str | None) -> str | None:
    """The code that somebody has written, and nothing else, or whose link they have opened."""
    if ref is not None and ref.startswith(REF):
        found = re.fullmatch(rf"[{ALPHABET}]{{{LENGTH}}}", ref.removeprefix(REF).upper())
        return found.group() if found else None
    written = _CODE.fullmatch(text.strip()) if text else None
    return written.group(1).upper() if written else None
