"""The set-up: the assistant that leads to a working fanpage, its settings, and the stop of every send."""

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.fanpages.queries import FanpageView
from core.fanpages.set_up_queries import read_conditions
from pages.components.dialogs import open_dialog
from pages.components.fanpage_state import checked, draw_stop
from pages.components.layout import badge, page_header
from pages.components.markdown import escape_markdown
from pages.components.session import current, require
from pages.components.stop_all import draw_stop_button
from pages.components.texts import _, n_
from pages.system import fanpage_dialogs as dialogs
from pages.system.otn_dialogs import draw_otn_button, draw_otn_dialogs, draw_otn_state
from pages.system.set_up_assistant import draw_assistant


def draw_page() -> None:
    require(Permission.ADMIN)
    here = current()
    slot = page_header(_("Set-up"), _("Connect your fanpages and decide how fast they send."), key="setup")
    with slot:
        draw_stop_button(here)
        if here.actor.has_all_fanpages:
            st.button(
                _("Connect a fanpage"),
                key="fanpage_add",
                type="primary",
                icon=":material/add_link:",
                on_click=open_dialog,
                args=("fanpage_new",),
            )
    chosen = here.fanpage
    if chosen is not None:
        _fanpage(chosen)
        draw_otn_dialogs(chosen)
    dialogs.draw_fanpage_dialogs(chosen)
    if chosen is not None and chosen.is_demo:
        words = _("This is the demo. The steps below help you connect your own fanpage.")
        st.info(words, icon=":material/science:")
    draw_assistant(None if chosen is None or chosen.is_demo else chosen)


def _fanpage(fanpage: FanpageView) -> None:
    draw_stop(fanpage)
    if fanpage.stopped_code:
        st.button(
            _("Fixed, resume sending"),
            key="fanpage_resume_open",
            icon=":material/play_circle:",
            on_click=open_dialog,
            args=("fanpage_resume",),
        )
    draw_otn_state(fanpage)
    with st.container(key="fanpage_card", border=True):
        with st.container(key="fanpage_card_head", horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escape_markdown(fanpage.name)}**", width="content")
            badge("fanpage", read_conditions(now=utc_now()).of(fanpage))
        _facts(fanpage)
        _buttons(fanpage)


def _facts(fanpage: FanpageView) -> None:
    token = _("stored encrypted") if fanpage.has_token else _("missing")
    rows = {
        _("Page ID"): fanpage.page_id,
        _("Access token"): token,
        _("Sending rate"): n_("{n} message per second", "{n} messages per second", fanpage.rate),
        _("Time zone"): fanpage.timezone,
        _("Health"): checked(fanpage),
    }
    for column, (label, value) in zip(st.columns(len(rows)), rows.items(), strict=True):
        column.caption(label)
        column.markdown(value)


def _buttons(fanpage: FanpageView) -> None:
    with st.container(key="fanpage_card_buttons", horizontal=True):
        for key, label, icon in (
            ("fanpage_rate", _("Sending rate…"), "speed"),
            ("fanpage_zone", _("Time zone…"), "schedule"),
            ("fanpage_again", _("New access token…"), "key"),
            ("fanpage_limits", _("Contact limits…"), "tune"),
            ("fanpage_launch_rules", _("Quiet hours and approval…"), "bedtime"),
            ("fanpage_stop_words", _("Stop words…"), "notifications_off"),
        ):
            st.button(label, key=f"{key}_open", icon=f":material/{icon}:", on_click=open_dialog, args=(key,))
        draw_otn_button(fanpage)


draw_page()
