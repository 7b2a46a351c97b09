"""The words of docs/glossary.md are those that the panel says."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

HOME = Path(__file__).resolve().parents[2]
BUSINESS, CODE = (HOME / "docs/glossary.md").read_text("utf-8").split("## Words of the code")
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \| [^|]+ \|$", BUSINESS, re.MULTILINE)
WORDS = [row for row in ROWS if row[0] != "English" and not row[0].startswith("-")]


def catalogue() -> dict[str, str]:
    """Every sentence of the panel that has one form, with its Vietnamese."""
    files = sorted((HOME / "pages/locales/vi").glob("*.po"))
    entries = [entry for file in files for entry in read_po(BytesIO(file.read_bytes())) if entry.id]
    return {entry.id: entry.string for entry in entries if isinstance(entry.id, str)}


@pytest.mark.parametrize(("english", "vietnamese"), WORDS)
def test_a_word_is_the_one_that_the_panel_says(english: str, vietnamese: str) -> None:
    assert catalogue().get(english) == vietnamese


def test_there_are_words_to_compare() -> None:
    assert len(WORDS) > 30
    assert len(WORDS) == len(dict(WORDS)), "a word stands there twice"
