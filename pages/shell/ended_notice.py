"""Tells whoever launched a broadcast that it has ended, on whatever page they are, until they close it."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.ended_broadcasts import End, close_notice, ends_for
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from pages.components import page_registry
from pages.components.markdown import escape_markdown
from pages.components.session import Current, attempt, flash
from pages.components.texts import _, number


def draw_ended_notices(here: Current) -> None:
    """A line for each, the latest first."""
    for end in ends_for(here.actor.name, here.actor.fanpage_ids):
        with st.container(key=f"ended_{end.id}", horizontal=True, vertical_alignment="center"):
            icon = ":material/event_busy:" if end.state == BroadcastState.MISSED else ":material/task_alt:"
            st.info(_words(end), icon=icon, width="stretch")
            if st.button(_("See the result"), key=f"ended_open_{end.id}"):
                close_notice(here.actor, end.id, now=utc_now())
                page_registry.go("broadcast", id=end.id)
            st.button(_("Close"), key=f"ended_close_{end.id}", on_click=_close, args=(here, end.id))


def _close(here: Current, broadcast_id: int) -> None:
    error, _closed = attempt(lambda: close_notice(here.actor, broadcast_id, now=utc_now()))
    if error is not None:
        flash(error, icon=":material/error:")


def _words(end: End) -> str:
    name = escape_markdown(end.name)
    if end.state == BroadcastState.MISSED:
        return _("“{name}” missed its send time: nothing was sent.", name=name)
    words = {
        BroadcastState.CANCELLED: _("“{name}” was cancelled: {sent} of {audience} customers had got it."),
    }.get(BroadcastState(end.state), _("“{name}” has ended: {sent} of {audience} customers got it."))
    return words.format(name=name, sent=number(end.sent), audience=number(end.audience))
