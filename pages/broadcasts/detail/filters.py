"""What narrows the people of a broadcast: result and reason, both kept in the address."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.queries import BroadcastView
from core.broadcasts.result_queries import get_result
from core.broadcasts.results import Result
from core.deliveries.rules import DELIVERY_STATES
from pages.broadcasts.detail.results import RESULT_WORDS
from pages.components.broadcast_words import reason_word
from pages.components.texts import _, state_label


def choose_state(view: BroadcastView) -> str | None:
    """The address decides, so that a click on a number above filters here."""
    words = {str(s): state_label("delivery", s)[0] for s in DELIVERY_STATES if view.counts[s]}
    result = get_result(view.id)
    words |= {
        str(each): _(word)
        for each, word in RESULT_WORDS.items()
        if each != Result.SENT and result and result.count(each)
    }
    asked = st.query_params.get("state")
    st.session_state["people_state"] = asked if asked in words else None
    return st.pills(
        _("Result"),
        list(words),
        key="people_state",
        format_func=lambda one: words.get(one, one),
        on_change=_into_address,
        args=("state", "people_state"),
        label_visibility="collapsed",
    )


def choose_reason(view: BroadcastView) -> str | None:
    """The reason whose people are shown, kept in the address; None for all."""
    if not view.reasons:
        return None
    options = ["", *view.reasons]
    asked = st.query_params.get("reason", "")
    st.session_state["people_reason"] = asked if asked in options else ""
    chosen = st.selectbox(
        _("Reason"),
        options,
        key="people_reason",
        format_func=lambda code: reason_word(code) or _("All reasons"),
        on_change=_into_address,
        args=("reason", "people_reason"),
        label_visibility="collapsed",
        width=260,
    )
    return chosen or None


def _into_address(name: str, key: str) -> None:
    value = st.session_state[key]
    st.query_params.pop(name, None)
    if value:
        st.query_params[name] = value
