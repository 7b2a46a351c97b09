"""Markdown, which Streamlit reads in most of what it shows."""

from __future__ import annotations

import re

# An address becomes a link also after its signs are escaped, unless one that nobody sees breaks it up.
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_UNSEEN = "\N{WORD JOINER}"


def escape_markdown(text: str) -> str:
    """Names and customers' words as they are written, wherever Markdown is read; addresses in them are no
    links."""
    broken_up = _ADDRESS.sub(_UNSEEN, text)
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~:$" else sign for sign in broken_up)
