"""Whom a broadcast has marked as unreachable, and the way to lift all of these marks at once."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.queries import BroadcastView
from core.clock import utc_now
from core.customers.actions import lift_marks_of
from core.customers.unreachable_mark_queries import BroadcastMarkCounts, count_marks_of
from pages.components.dialogs import confirm, open_dialog
from pages.components.session import Current, flash
from pages.components.texts import _, n_
from pages.components.unreachable_customers import refused_again


def draw_marks(here: Current, view: BroadcastView) -> None:
    if not view.started_at:
        return
    marked = count_marks_of(view.fanpage_id, view.id)
    if marked.people:
        with st.container(key="broadcast_marks"):
            st.caption(f":material/person_off: {_words(marked)}")
            if here.actor.may(Permission.SEND):
                st.button(
                    _("Remove the marks…"),
                    key="broadcast_lift",
                    icon=":material/person_add:",
                    on_click=open_dialog,
                    args=("broadcast_lift_dialog",),
                )
    _draw_dialog(here, view, marked)


def _words(marked: BroadcastMarkCounts) -> str:
    words = n_(
        "{n} customer was marked as unreachable by this broadcast.",
        "{n} customers were marked as unreachable by this broadcast.",
        marked.people,
    )
    if marked.tentative:
        open_ones = n_(
            "For {n} of them this is not certain yet, because Messenger has accepted no message "
            "since: broadcasts still include them.",
            "For {n} of them this is not certain yet, because Messenger has accepted no message "
            "since: broadcasts still include them.",
            marked.tentative,
        )
        words = f"{words} {open_ones}"
    return words


def _draw_dialog(here: Current, view: BroadcastView, marked: BroadcastMarkCounts) -> None:
    offered = n_(
        "**Broadcasts include {n} customer again**, with the opt-ins they have.",
        "**Broadcasts include {n} customers again**, with the opt-ins they have.",
        marked.people,
    )
    reason = _("Do this if the customers were not the reason for Messenger's answers.")
    confirm(
        "broadcast_lift_dialog",
        _("Remove the marks?"),
        f"{offered} {reason} {refused_again()}",
        _("Remove the marks"),
        lambda: _lift(here, view),
    )


def _lift(here: Current, view: BroadcastView) -> None:
    lifted = lift_marks_of(here.actor, view.id, now=utc_now())
    if lifted:
        flash(n_("Broadcasts include {n} customer again.", "Broadcasts include {n} customers again.", lifted))
    else:
        flash(_("They have already been removed, so nothing was changed."), icon=":material/info:")
