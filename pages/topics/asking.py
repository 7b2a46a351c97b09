"""Asking again: the rule of a topic, the wording it uses, and what came of it."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.queries import TopicView
from core.conversation.asking_actions import set_asking
from core.conversation.asking_queries import TopicAsking, topic_asking
from pages.components.asking_words import withheld_words
from pages.components.chosen import keep_chosen
from pages.components.dialogs import dialog, open_dialog, run_and_close
from pages.components.first_values import show_first
from pages.components.layout import section
from pages.components.session import Current, current, flash
from pages.components.texts import _, n_

KEY = "topic_asking"
_NEWEST = 0  # in place of a message: the newest that asks


def draw_asking(topic: TopicView, here: Current) -> None:
    """How customers whose opt-in is used are asked again, with the figures of the last 30 days."""
    asking = topic_asking(topic.id, now=utc_now())
    section(_("Asking again"))
    with st.container(key=f"{KEY}_card", border=True):
        st.markdown(_state(asking))
        if asking.asked:
            st.caption(_figures(asking))
        if words := withheld_words(asking.withheld):
            st.caption(_("Requests left out in the last 30 days: {words}", words=words))
        if here.actor.may(Permission.EDIT):
            st.button(
                _("Asking again…"),
                key=f"{KEY}_open",
                icon=":material/replay:",
                on_click=open_dialog,
                args=(KEY,),
            )
    dialog(KEY, _("Ask customers again"), lambda: _body(topic, asking), width="medium")


def _state(asking: TopicAsking) -> str:
    if not asking.asks_again:
        return ":gray[:material/radio_button_unchecked:] " + _(
            "The chatbot does not ask again on its own. A broadcast can include a button that does."
        )
    return ":green[:material/check_circle:] " + _(
        "Customers who have no opt-in left are asked again when they next write to you."
    )


def _figures(asking: TopicAsking) -> str:
    asked = n_(
        "{n} request in the last 30 days asked again.",
        "{n} requests in the last 30 days asked again.",
        asking.asked,
    )
    return asked + " " + n_("{n} customer agreed.", "{n} customers agreed.", asking.agreed)


def _body(topic: TopicView, asking: TopicAsking) -> None:
    st.toggle(
        _("Ask customers who have no opt-in left when they next write"),
        value=asking.asks_again,
        key=f"{KEY}_on",
        disabled=not asking.wordings,
    )
    st.caption(
        _(
            "Only customers who agreed before and have been notified, or whose year is over. "
            "Nobody is asked who said no, who was asked recently, or who has reached the fanpage's "
            "limits (Set-up, “Contact limits”)."
        )
    )
    if not asking.wordings:
        st.info(_("No message asks about this topic yet: insert its request (OTNR) into one first."))
        return
    names = {_NEWEST: _("The newest request about this topic")}
    names |= {each.message_id: f"{each.message} – “{each.promise}”" for each in asking.wordings}
    show_first(f"{KEY}_message", asking.message_id or _NEWEST)
    if st.session_state[f"{KEY}_message"] not in names:
        st.session_state[f"{KEY}_message"] = _NEWEST
    st.selectbox(
        _("Request to send"),
        list(names),
        format_func=names.__getitem__,
        key=keep_chosen(f"{KEY}_message"),
        help=_(
            "Only the request (OTNR) in that message is sent. “Ask again” buttons in broadcasts use it, too."
        ),
    )
    with st.container(key=f"{KEY}_buttons", horizontal=True, horizontal_alignment="right"):
        action = lambda: _save(topic)  # noqa: E731
        st.button(_("Save"), key=f"{KEY}_submit", type="primary", on_click=run_and_close, args=(KEY, action))


def _save(topic: TopicView) -> None:
    typed = st.session_state
    message_id = typed[f"{KEY}_message"] or None
    set_asking(
        current().actor,
        topic.id,
        asks_again=bool(typed[f"{KEY}_on"]),
        message_id=message_id,
        now=utc_now(),
    )
    flash(_("Saved."))
