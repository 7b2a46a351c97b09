"""Which opt-ins a list shows: topic and state, kept in the address."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.clock import utc_now
from core.consent.opt_in_queries import OptInFilter
from core.consent.queries import TopicView
from pages.components.filters import filter_pills
from pages.components.texts import _, state_label

SOON = timedelta(days=30)
WITHOUT = "none"  # ?topic=none: the opt-ins that have none
STATES = ("available", "reserved", "spent", "expired", "refused", "withdrawn")


def choose_filters(topics: list[TopicView]) -> OptInFilter:
    """What the list is narrowed to; kept in the address."""
    with st.container(key="opt_ins_filters", horizontal=True, vertical_alignment="center"):
        topic = _topic(topics)
        words = {state: state_label("opt_in", state)[0] for state in STATES}
        state = filter_pills("state", {"soon": _("End within 30 days"), **words})
    is_soon = state == "soon"
    return OptInFilter(
        topic_id=int(topic) if topic.isdigit() else None,
        without_topic=topic == WITHOUT,
        state=None if is_soon else state,
        ends_before=utc_now() + SOON if is_soon else None,
    )


def _topic(topics: list[TopicView]) -> str:
    words = {"": _("All topics"), **{str(t.id): t.name for t in topics}, WITHOUT: _("Without topic")}
    asked = st.query_params.get("topic", "")
    topic = st.selectbox(
        _("Topic"),
        list(words),
        index=list(words).index(asked) if asked in words else 0,
        key="opt_in_topic",
        format_func=lambda value: words.get(value, value),
        label_visibility="collapsed",
        width=280,
    )
    if topic:
        st.query_params["topic"] = topic
    elif "topic" in st.query_params:
        del st.query_params["topic"]
    return topic or ""
