"""Keeps spreadsheets from running texts as formulas, by an apostrophe before a text that could be one.

Names of customers are written by strangers, and "=HYPERLINK(…)" can be a name.
"""

from __future__ import annotations

import re

from core.text.invisible import BLANKS, INVISIBLE

# Signs in full and small width are taken for the usual ones, and blanks before them are skipped.
_SIGNS = r"=+\-@＝＋－＠\ufe62\ufe63\ufe66\ufe6b"
_LEAD = rf"['{BLANKS}{INVISIBLE}]*[{_SIGNS}]"
_FORMULA = re.compile(rf"'*[\t\r\n]|{_LEAD}")
# Where a comma stands before decimals, as in Vietnam, a CSV file is opened with ; between its cells, and
# quotation marks within a line hold nothing together.
_PART = re.compile(rf"(?<=[;\t\r\n])(?={_LEAD})")
_DEFUSED_PART = re.compile(rf"(?<=[;\t\r\n])'(?={_LEAD})")


def defuse_formula(text: str) -> str:
    """A text with an apostrophe before it, or before a part of it, where a spreadsheet could take it for a
    formula. In a workbook a part is still text; its apostrophe is for whoever saves the workbook as CSV."""
    text = _PART.sub("'", text)
    return f"'{text}" if _FORMULA.match(text) else text


def without_apostrophe(text: str) -> str:
    """The text that was given to be defused, so that our own exports can be read again."""
    whole = text[1:] if text[:1] == "'" and _FORMULA.match(text, 1) else text
    return _DEFUSED_PART.sub("", whole)
