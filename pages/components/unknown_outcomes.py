"""Where outcomes that nobody knows are told of, and the way to the list that settles them."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.broadcasts.dashboard_queries import list_unknown_outcomes
from pages.components.markdown import escape_markdown
from pages.components.texts import _, n_

ANCHOR = "people"
ALERTS = 5


def draw_link_to_unknown(broadcast_id: int, label: str) -> None:
    """Down to the list itself, which lies below the fold: `page_registry.link` knows no place on a page."""
    href = f"broadcast?id={broadcast_id}&state=unknown#{ANCHOR}"
    icon = '<span class="otn-icon" aria-hidden="true">fact_check</span>'
    st.html(f'<a class="otn-go" href="{href}" target="_self">{icon}{escape(label)}</a>', width="content")


def draw_unknown_alerts(fanpage_id: int) -> None:
    """Draws, on the overview, every broadcast that waits for a decision, the oldest first."""
    doubts = list_unknown_outcomes(fanpage_id)
    for doubt in doubts[:ALERTS]:
        with st.container(key=f"in_doubt_{doubt.broadcast_id}", horizontal=True, vertical_alignment="center"):
            words = n_(
                "{n} result of “{name}” is still in doubt: look at the evidence and decide.",
                "{n} results of “{name}” are still in doubt: look at the evidence and decide.",
                doubt.people,
                name=escape_markdown(doubt.name),
            )
            st.warning(words, icon=":material/help:", width="stretch")
            draw_link_to_unknown(doubt.broadcast_id, _("See the evidence of each"))
    more = len(doubts) - ALERTS
    if more > 0:
        words = n_(
            "{n} more broadcast has results in doubt.", "{n} more broadcasts have results in doubt.", more
        )
        st.caption(words)
