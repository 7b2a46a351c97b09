"""Every attempt at a delivery: when it was, what came back, and Messenger's own words folded away."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.deliveries.attempts import ACCEPTED, AttemptView
from pages.components.broadcast_words import reason_word
from pages.components.markdown import escape_markdown
from pages.components.tables import Column, Two, table
from pages.components.texts import _, n_, when


def draw_attempts(attempts: Sequence[AttemptView], *, key: str, name: str = "") -> None:
    """`name`: of the broadcast, where several are listed."""
    if not attempts:
        return
    count = n_("{n} attempt and its answer", "{n} attempts and their answers", len(attempts))
    with st.expander(_("“{name}”: {tries}", name=escape_markdown(name), tries=count) if name else count):
        columns = [
            Column(_("Attempted at"), lambda t: when(t.started_at, to_the_second=True), "36%"),
            Column(_("Answer received"), lambda t: Two(_came_back(t), _meaning(t)), "40%", wraps=True),
            Column(_("Code"), code_of),
        ]
        table(columns, attempts, key=f"{key}_tries")
        for said in dict.fromkeys(t.detail for t in attempts if t.detail):
            st.code(said, language=None, wrap_lines=True)


def _came_back(tried: AttemptView) -> str:
    return _("Accepted by Messenger") if tried.reason == ACCEPTED else reason_word(tried.reason)


def _meaning(tried: AttemptView) -> str:
    if tried.reason == ACCEPTED:
        return _("It arrived")
    return _("It may have arrived") if tried.in_doubt else _("This attempt did not arrive")


def code_of(tried: AttemptView) -> str:
    """What an admin or Meta's support asks for: HTTP status, code and subcode."""
    codes = "/".join(str(code) for code in (tried.code, tried.subcode) if code is not None)
    status = f"HTTP {tried.status}" if tried.status else ""
    return " · ".join(part for part in (status, codes) if part)
