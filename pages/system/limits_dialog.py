"""How often the customers of a fanpage are asked and written to: the dialog of the set-up page."""

from __future__ import annotations

import streamlit as st

from core.clock import utc_now
from core.consent.contact_limits import MOST, USUAL, ContactLimits
from core.conversation.asking_queries import count_withheld
from core.fanpages.limit_actions import set_limits
from core.fanpages.queries import FanpageView
from pages.components.asking_words import withheld_words
from pages.components.dialogs import dialog, run_and_close
from pages.components.markdown import escape_markdown
from pages.components.session import current, flash
from pages.components.texts import _

KEY = "fanpage_limits"


def draw_limits_dialog(fanpage: FanpageView) -> None:
    """Shows the dialog while it is open."""
    dialog(KEY, _("How often customers hear from you"), lambda: _body(fanpage), width="medium")


def _body(fanpage: FanpageView) -> None:
    limits = fanpage.limits
    st.markdown(f"**{_('Broadcasts')}**")
    _number(
        "broadcasts_a_week",
        limits,
        _("Most broadcasts to one customer within 7 days"),
        _(
            "Counted across all topics. Customers who have reached the limit are left out and keep "
            "their opt-in."
        ),
    )
    st.markdown(f"**{_('Asking for opt-ins')}**")
    _number(
        "ask_cool_down_days",
        limits,
        _("Days until a customer who did not answer is asked again"),
        _("For each topic. Until then the chatbot leaves the request out."),
    )
    _number("asks_a_day", limits, _("Most requests to one customer within 24 hours"), None)
    st.checkbox(
        _("Also ask customers who still have an opt-in for the topic"),
        value=limits.asks_holders,
        key=f"{KEY}_asks_holders",
        help=_("Each further opt-in allows one more broadcast on the topic."),
    )
    words = withheld_words(count_withheld(fanpage.id, now=utc_now()))
    if words:
        st.caption(_("Requests left out in the last 30 days: {words}", words=words))
    st.markdown(f"**{_('Answering')}**")
    _number(
        "silent_hours",
        limits,
        _("Hours the chatbot stays silent after somebody on your team has answered"),
        _("For that customer only. You can end it early on the customer's page."),
    )
    st.caption(
        _(
            "0 means no limit. Defaults: {broadcasts} broadcasts, {days} days, {asks} requests and "
            "{hours} hours.",
            broadcasts=USUAL.broadcasts_a_week,
            days=USUAL.ask_cool_down_days,
            asks=USUAL.asks_a_day,
            hours=USUAL.silent_hours,
        )
    )
    with st.container(key=f"{KEY}_buttons", horizontal=True, horizontal_alignment="right"):
        action = lambda: _save(fanpage)  # noqa: E731
        st.button(_("Save"), key=f"{KEY}_submit", type="primary", on_click=run_and_close, args=(KEY, action))


def _number(name: str, limits: ContactLimits, label: str, help_text: str | None) -> None:
    st.number_input(label, 0, MOST[name], getattr(limits, name), step=1, key=f"{KEY}_{name}", help=help_text)


def _save(fanpage: FanpageView) -> None:
    typed = {name: st.session_state[f"{KEY}_{name}"] for name in vars(USUAL)}
    set_limits(current().actor, fanpage.id, ContactLimits(**typed), now=utc_now())
    flash(_("The limits of {name} are saved.", name=escape_markdown(fanpage.name)))
