"""How much of a limit a field uses. A field that has a limit shows it here and keeps what was pasted over it:
Streamlit's own `max_chars` lets the browser drop the whole paste."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.conversation.placeholders import longest_length
from pages.components.texts import _, number

WARN_SHARE = 0.9  # of a limit, from where its counter turns amber


def show_counter(text: str, limit: int, fallback: str = "", *, only_near: bool = False) -> None:
    """How much of a limit is used: amber from 90 %, red past it. With `only_near` nothing before that."""
    used = longest_length(text, fallback)
    tone = "otn-over" if used > limit else "otn-near" if used >= limit * WARN_SHARE else ""
    if only_near and not tone:
        return
    words = _("{used} of {limit} characters", used=number(used), limit=number(limit))
    st.html(
        f'<div class="otn-count {tone}" role="status" aria-label="{escape(words)}">'
        f"{number(used)}/{number(limit)}</div>"
    )
