"""The dialog before a replay: how many events, and what will follow."""

from __future__ import annotations

import streamlit as st

from core.clock import utc_now
from core.inbox import actions
from core.inbox.actions import ReplayCount
from core.inbox.event_filters import EventFilter
from pages.components.dialogs import confirm_buttons, dialog, is_open
from pages.components.session import current
from pages.components.texts import _, n_


def draw_replay_dialog(key: str, asked: EventFilter | int | None) -> None:
    """The dialog about the events of a filter, about one by its id, or (None) about all that failed. What
    comes while it is open is not replayed."""
    if not is_open(key):
        st.session_state.pop(f"{key}_until", None)
        st.session_state.pop(f"{key}_asked", None)
        return
    until = st.session_state.setdefault(f"{key}_until", utc_now())
    if isinstance(asked, EventFilter):  # as it was when the dialog was opened
        asked = st.session_state.setdefault(f"{key}_asked", asked)
    by = current().actor

    def replay() -> None:
        if isinstance(asked, int):
            actions.replay_one(by, asked, now=utc_now())
        else:
            actions.replay(by, asked, until=until, now=utc_now())

    def draw() -> None:
        if isinstance(asked, int):
            count = actions.count_replay_of(asked)
        else:
            count = actions.count_replay(by.fanpage_ids, asked, until=until)
        _say(count)
        if count.total:
            confirm_buttons(key, _("Replay"), replay, done=_("They will be processed within a few seconds."))

    dialog(key, _("Replay webhook events?"), draw)


def _say(count: ReplayCount) -> None:
    if not count.total:
        st.markdown(
            _(
                "There is nothing to replay: these events are already waiting to be processed, or "
                "belong to a fanpage that is not connected here."
            )
        )
    if count.in_full:
        st.markdown(
            n_(
                "**{n} event** has not been processed yet.",
                "**{n} events** have not been processed yet.",
                count.in_full,
            )
        )
        st.markdown(
            _(
                "They are processed as if they had just arrived: opt-ins are recorded, and the "
                "chatbot answers where the 24-hour window is still open."
            )
        )
    if count.again:
        st.markdown(
            n_(
                "**{n} event** has already been processed.",
                "**{n} events** have already been processed.",
                count.again,
            )
        )
        st.markdown(
            _(
                "For these, only what is missing is restored: customers, opt-ins, opt-outs. Nobody "
                "is answered again."
            )
        )
