"""The English of the panel and its guide is a marketer's: one word for a thing, no turn of an engineer."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from tests.pages.test_translations import PO_FILES

GUIDE = sorted((PO_FILES[0].parents[3] / "docs/guide/en").glob("*.md"))
# What was said, as a pattern, and what is said in its place.
_GONE = {
    r"\b[Bb]ot\b": "chatbot",
    r"\b[Pp]ictures?\b": "image",
    "telephone": "phone",
    "[Ee]-mail": "email",
    r"\b[Cc]annot\b": "can't",
    r"\b[Mm]eanwhile\b": "in the meantime",
    r"\b[Ww]hoever\b": "anyone who",
    r"\banew\b": "again",
    r"\b[Ss]ealed\b": "encrypted",
    "[Bb]est.before": "send-by time",
    r"\b[Mm]end(s|ed)?\b|\b[Rr]epair": "fix",
    r"\b(go|goes) on\b(?! hold)": "continue, resume",
    r"\b[Ss]taff\b|\b[Cc]olleague": "your team",
    r"\bat Facebook": "on Facebook",
    r"\b(the|your|its) Page\b": "fanpage",
    "sign of life": "signal",
    "under set-up": "under Set-up",
    r"\bis no (PSID|web|phone|image|stop)": "is not a",
    "pretend": "simulated",
    r"\bspar(e|es|ed|ing)\b": "save",
}


def _said() -> list[tuple[str, str]]:
    """What people read in English, each beside the file that holds it."""
    said = [
        (file.name, text)
        for file in PO_FILES
        for entry in read_po(BytesIO(file.read_bytes()))
        for text in ([entry.id] if isinstance(entry.id, str) else entry.id)
        if file.parent.name == "vi"
    ]
    guide = [(file.name, line) for file in GUIDE for line in file.read_text("utf-8").splitlines()]
    return said + [(name, re.sub(r"!\[(.*)\]\(.*\)", r"\1", line)) for name, line in guide]


@pytest.mark.parametrize("pattern", _GONE)
def test_a_thing_has_one_word(pattern: str) -> None:
    found = [f"{file}: {text}" for file, text in _said() if re.search(pattern, text)]
    assert not found, f"say {_GONE[pattern]}: " + "\n".join(found)
