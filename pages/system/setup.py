"""Connect fanpages, set their pace, let them go on after a stop; and the way to going live."""

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.fanpages import health_actions, queries
from core.fanpages.queries import FanpageView
from pages.components.dialogs import open_dialog
from pages.components.fanpage_state import checked, condition, draw_problems, draw_stop
from pages.components.layout import badge, page_header, section
from pages.components.session import current, do, require
from pages.components.texts import _, n_
from pages.system import fanpage_dialogs as dialogs
from pages.system.going_live import draw_going_live


def draw_page() -> None:
    require(Permission.ADMIN)
    slot = page_header(_("Set-up"), _("Connect your fanpages and decide how fast they send."), key="setup")
    slot.button(
        _("Connect a fanpage"),
        key="fanpage_add",
        type="primary",
        icon=":material/add_link:",
        on_click=open_dialog,
        args=("fanpage_new",),
    )
    fanpages = queries.list_fanpages()
    chosen = current().fanpage
    if chosen is not None:
        _fanpage(chosen)
    dialogs.draw_fanpage_dialogs(chosen)
    real = next((each for each in fanpages if not each.is_demo), None)
    if real is None:
        section(_("Going live"))
        draw_going_live(real)
    else:
        with st.expander(_("Going live: the steps to a working fanpage"), icon=":material/rocket_launch:"):
            draw_going_live(real)


def _fanpage(fanpage: FanpageView) -> None:
    draw_stop(fanpage)
    if fanpage.stopped_code:
        st.button(
            _("Repaired, go on"),
            key="fanpage_resume_open",
            icon=":material/play_circle:",
            on_click=open_dialog,
            args=("fanpage_resume",),
        )
    draw_problems(fanpage)
    with st.container(key="fanpage_card", border=True):
        with st.container(key="fanpage_card_head", horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{_escaped(fanpage.name)}**", width="content")
            badge("fanpage", condition(fanpage))
        _facts(fanpage)
        _buttons(fanpage)


def _facts(fanpage: FanpageView) -> None:
    token = _("kept encrypted") if fanpage.has_token else _("missing")
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
        if st.button(_("Check now"), key="fanpage_check", icon=":material/stethoscope:"):
            with st.spinner(_("Asking Facebook…")):
                found = do(lambda: health_actions.check_health(fanpage.id, now=utc_now()), done=_("Checked."))
            if found is not None:
                st.rerun()
        for key, label, icon in (
            ("fanpage_rate", _("Sending rate…"), "speed"),
            ("fanpage_zone", _("Time zone…"), "schedule"),
            ("fanpage_again", _("New access token…"), "key"),
            ("fanpage_limits", _("How often…"), "tune"),
            ("fanpage_stop_words", _("Stop words…"), "notifications_off"),
        ):
            st.button(label, key=f"{key}_open", icon=f":material/{icon}:", on_click=open_dialog, args=(key,))


def _escaped(name: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!:$<>|~" else sign for sign in name)


draw_page()
