"""Keywords that get in each other's way, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.conversation.keyword_rules import Clash, Keyword
from core.errors import Problem, problem
from pages.components.block_editor.fields import draw_warnings
from pages.components.texts import _, n_

SHOWN = 5  # more than that helps nobody


def draw_clashes(clashes: Sequence[Clash], names: Mapping[int, str]) -> None:
    """Says which message wins where one text fires the keywords of several; `names` are those of messages."""
    draw_warnings([_sentence(clash, names) for clash in clashes[:SHOWN]])
    if len(clashes) > SHOWN:
        rest = len(clashes) - SHOWN
        st.caption(n_("and {n} more conflict", "and {n} more conflicts", rest))


def _sentence(clash: Clash, names: Mapping[int, str]) -> Problem:
    others = ", ".join(_named(each, names) for each in clash.others)
    text = _(
        "A customer who writes “{text}” gets {winner}, not {others}.",
        text=clash.text,
        winner=_named(clash.winner, names),
        others=others,
    )
    return problem("entry_points", "{text}", text=text)


def _named(keyword: Keyword, names: Mapping[int, str]) -> str:
    return _("{name} (keyword “{value}”)", name=names.get(keyword.message_id, "?"), value=keyword.value)
