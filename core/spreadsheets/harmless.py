"""Texts that no spreadsheet runs as formulas: an apostrophe goes before what one could begin with.

Names of customers are written by strangers; "=HYPERLINK(…)" is a name, too.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def defuse_formula(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def without_apostrophe(text: str) -> str:
    """A text as it was before `harmless`: our own exports can be read again."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text, 1) else text
