"""Switches one-time notifications of a fanpage off and on."""

from __future__ import annotations

import streamlit as st

from core.clock import utc_now
from core.fanpages import otn_switch
from core.fanpages.queries import FanpageView
from pages.components.dialogs import confirm, open_dialog
from pages.components.markdown import escape_markdown
from pages.components.session import current
from pages.components.texts import _, when, who

OFF, ON = "otn_off", "otn_on"


def draw_otn_button(fanpage: FanpageView) -> None:
    """The button for the other state, beside the other settings of the fanpage."""
    if fanpage.otn_off_at is None:
        label, icon, key = _("Turn OTN off…"), "notifications_off", OFF
    else:
        label, icon, key = _("Turn OTN on…"), "notifications_active", ON
    st.button(label, key=f"{key}_open", icon=f":material/{icon}:", on_click=open_dialog, args=(key,))


def draw_otn_state(fanpage: FanpageView) -> None:
    """Says that one-time notifications are off, by whom and since when."""
    if fanpage.otn_off_at is not None:
        words = _(
            "**One-time notifications are off** for this fanpage, turned off by {who} {when}. "
            "Nobody is asked for an opt-in and no broadcast goes out; opt-ins stay, and the "
            "chatbot still answers.",
            who=escape_markdown(who(fanpage.otn_off_by)),
            when=when(fanpage.otn_off_at),
        )
        st.warning(words, icon=":material/notifications_off:")


def draw_otn_dialogs(fanpage: FanpageView) -> None:
    """Shows the dialog that is open, if any."""
    confirm(
        OFF,
        _("Turn one-time notifications off?"),
        _(
            "{name} no longer asks anybody for an opt-in, and broadcasts that are being sent "
            "pause. Opt-ins stay, and expire as before. Do this if Meta ends the feature for the "
            "fanpage.",
            name=escape_markdown(fanpage.name),
        ),
        _("Turn off"),
        lambda: otn_switch.switch_otn_off(current().actor, fanpage.id, now=utc_now()),
        done=_("One-time notifications are off."),
    )
    confirm(
        ON,
        _("Turn one-time notifications on?"),
        _(
            "{name}'s chatbot asks for opt-ins again, and broadcasts that this had paused resume at once.",
            name=escape_markdown(fanpage.name),
        ),
        _("Turn on"),
        lambda: otn_switch.switch_otn_on(current().actor, fanpage.id, now=utc_now()),
        done=_("One-time notifications are on."),
    )
