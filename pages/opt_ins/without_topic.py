"""Opt-ins that came without a topic: say so, and let staff give them one."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.actions import assign_topic
from core.consent.queries import TopicView
from pages.components.chosen import keep_chosen
from pages.components.dialogs import dialog, open_dialog, run_and_close
from pages.components.markdown import escape_markdown
from pages.components.session import current
from pages.components.texts import _, n_

KEY = "opt_in_assign"


def draw_without_topic(topics: list[TopicView], count: int) -> None:
    """A note and a dialog while any opt-in has no topic: no broadcast can use it so far."""
    if not count:
        return
    with st.container(key="opt_ins_homeless", border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            ":orange[:material/label_off:] "
            + n_(
                "{n} opt-in came without a topic, so no broadcast can use it.",
                "{n} opt-ins came without a topic, so no broadcast can use them.",
                count,
            )
        )
        if topics and current().actor.may(Permission.EDIT):
            st.button(_("Choose a topic…"), key="opt_in_assign_open", on_click=open_dialog, args=(KEY,))
    dialog(KEY, _("Choose a topic"), partial(_body, topics, count))


def _body(topics: list[TopicView], count: int) -> None:
    names = {topic.id: topic.name for topic in topics}
    st.markdown(
        n_(
            "{n} opt-in gets this topic. Choose the one the customer really agreed to.",
            "{n} opt-ins get this topic. Choose the one the customers really agreed to.",
            count,
        )
    )
    topic_id = st.selectbox(
        _("Topic"),
        list(names),
        index=None,
        placeholder=_("Choose a topic"),
        key=keep_chosen("opt_in_assign_topic", names),
        format_func=lambda id_: names.get(id_, ""),
    )
    by = current().actor
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            _("Assign “{topic}”", topic=escape_markdown(names[topic_id]))
            if topic_id
            else _("Assign this topic"),
            key="opt_in_assign_save",
            type="primary",
            disabled=topic_id is None,
            on_click=run_and_close,
            args=(
                KEY,
                lambda: assign_topic(by, topic_id or 0, now=utc_now()),
                _("The opt-ins have a topic."),
            ),
        )
