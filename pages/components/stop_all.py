"""The one button that stops every send of the installation, and the one that lets it go on."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.dashboard_queries import count_sending
from core.clock import utc_now
from core.db import holding
from core.db.holding import HoldCode, HoldView
from core.installation import hold_actions
from pages.components.dialogs import confirm, open_dialog
from pages.components.session import Current, current
from pages.components.texts import _, ago, n_, who

STOP, GO_ON = "stop_all", "go_on_all"


def _may_stop(here: Current) -> bool:
    return here.actor.may(Permission.SEND) and here.actor.has_all_fanpages


def draw_stop_button(here: Current) -> None:
    """Draws, for whoever may send and while nothing is held, the button that stops every send, and its
    dialog."""
    if not _may_stop(here) or holding.current_hold() is not None:
        return
    st.button(
        _("Stop all sending…"),
        key=f"{STOP}_open",
        icon=":material/front_hand:",
        on_click=open_dialog,
        args=(STOP,),
    )
    count = count_sending()
    going = (
        n_("{n} broadcast is being sent now.", "{n} broadcasts are being sent now.", count) if count else ""
    )
    words = _(
        "Within a second, nothing is sent for any fanpage: no broadcasts, no chatbot answers, no "
        "requests. Customers' messages are still received, no opt-in is lost, and everything "
        "continues where it stopped once you resume."
    )
    confirm(
        STOP,
        _("Stop all sending?"),
        f"{words}\n\n{going}",
        _("Stop all sending"),
        lambda: hold_actions.stop_sending(current().actor, now=utc_now()),
        done=_("All sending is stopped."),
    )


def draw_stop_notice(here: Current, found: HoldView) -> None:
    """Why the installation is held; when staff stopped all sending, by whom, and the button that lets it go
    on."""
    if found.code != HoldCode.STOPPED:
        st.error(_(found.template, place=found.place), icon=":material/front_hand:")
        return
    words = _(
        "**All sending is stopped**, by {who} ({when}). Nothing is sent for any fanpage; "
        "customers' messages are still received, and no opt-in is lost.",
        who=who(found.place),
        when=ago(found.at),
    )
    with st.container(key="stop_notice", horizontal=True, vertical_alignment="center"):
        st.error(words, icon=":material/front_hand:", width="stretch")
        if _may_stop(here):
            label = _("Resume all sending…")
            st.button(
                label, key=f"{GO_ON}_open", icon=":material/play_circle:", on_click=open_dialog, args=(GO_ON,)
            )
    count = count_sending()
    going = n_("{n} broadcast resumes at once.", "{n} broadcasts resume at once.", count) if count else ""
    late = _("Broadcasts whose send-by time has passed are not sent; they are shown as missed.")
    confirm(
        GO_ON,
        _("Resume all sending?"),
        f"{going} {late}",
        _("Resume all sending"),
        lambda: hold_actions.release_hold(current().actor, now=utc_now()),
        done=_("Sending continues."),
    )
