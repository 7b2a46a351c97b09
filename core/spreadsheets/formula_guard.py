"""Keeps spreadsheets from running texts as formulas, by an apostrophe before a text that could be one.

Names of customers are written by strangers, and "=HYPERLINK(…)" can be a name.
"""

from __future__ import annotations

import re

from core.text.invisible import BLANKS, INVISIBLE

# Signs in full and small width are taken for the usual ones, and blanks before them are skipped.
_SIGNS = r"=+\-@＝＋－＠\ufe62\ufe63\ufe66\ufe6b"
_FORMULA = re.compile(rf"'*[\t\r\n]|['{BLANKS}{INVISIBLE}]*[{_SIGNS}]")


def defuse_formula(text: str) -> str:
    """A text with an apostrophe before it where a spreadsheet could take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def without_apostrophe(text: str) -> str:
    """The text that `defuse_formula` was given, so that our own exports can be read again."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text, 1) else text
