"""Reads what a person has written into a file with whatever editor they have: UTF-8 or UTF-16, with or
without a byte-order mark, with any ends of lines."""

from __future__ import annotations

import codecs

from core.errors import OperatorError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(raw: bytes, *, what: str) -> str:
    """The text of a file, with line feeds at its ends of lines. Raises OperatorError, which names `what` was
    read and nothing of its content."""
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), None) or _unmarked(raw)
    try:
        return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise OperatorError("{what} is not readable as UTF-8; save it as UTF-8 again.", what=what) from None


def _unmarked(raw: bytes) -> str:
    """Every second byte of UTF-16 is zero for the letters of a setting; in UTF-8 no byte is."""
    if b"\0" not in raw[:200]:
        return "utf-8"
    return "utf-16-be" if raw[:1] == b"\0" else "utf-16-le"
