"""What may be done with a broadcast in its state: the buttons, and those that act at once."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.rules import Permission
from core.broadcasts import actions, revisions
from core.broadcasts.queries import BroadcastView, get_broadcast
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.deliveries.rules import DeliveryState
from core.templates.rules import TemplateKind
from pages.broadcasts.detail.dialogs import CANCELLABLE, left
from pages.components.address import asked_id
from pages.components.dialogs import open_dialog
from pages.components.session import Current, attempt, flash
from pages.components.templates import draw_save_button
from pages.components.test_dialog import draw_test_button
from pages.components.texts import _, number

_YET_TO_GO = (
    BroadcastState.DRAFT,
    BroadcastState.SCHEDULED,
    BroadcastState.PAUSED,
    BroadcastState.MISSED,
)


def draw_buttons(slot: DeltaGenerator, here: Current, view: BroadcastView, *, stopped: bool) -> None:
    may_send = here.actor.may(Permission.SEND)
    with slot:
        has_ended = view.state in (BroadcastState.FINISHED, BroadcastState.CANCELLED)
        if has_ended and here.actor.may(Permission.EDIT):
            draw_save_button(here, TemplateKind.BROADCAST, view.id, view.name)
            _button("copy", _("Duplicate as new draft"), "content_copy", _copy, here, view.id, main=True)
        if view.state in _YET_TO_GO:
            draw_test_button(main=view.state != BroadcastState.SCHEDULED)
        if view.state == BroadcastState.SCHEDULED and here.actor.may(Permission.EDIT):
            _button("revise", _("Edit"), "edit", _revise, here, view.id, main=True)
        if not may_send:
            return
        if view.state in CANCELLABLE:
            _open_button("cancel", _("Cancel…"), "cancel")
        if view.state == BroadcastState.SCHEDULED:
            if not stopped and view.due_at and view.due_at > utc_now():
                _open_button("launch", _("Send now…"), "send")
            _open_button("unschedule", _("Back to draft…"), "edit_note")
        if view.state == BroadcastState.MISSED:
            _button("unschedule", _("Choose a new time"), "schedule", _unschedule, here, view.id, main=True)
        if view.state == BroadcastState.SENDING:
            _button("pause", _("Pause"), "pause", _pause, here, view, main=True)
        if view.state == BroadcastState.PAUSED and not stopped:
            _open_button("resume", _("Resume…"), "play_arrow", main=True)


def _button(
    verb: str, label: str, icon: str, action: Callable[..., None], *args: object, main: bool = False
) -> None:
    st.button(
        label,
        key=f"broadcast_{verb}",
        icon=f":material/{icon}:",
        type="primary" if main else "secondary",
        on_click=action,
        args=args,
    )


def _open_button(verb: str, label: str, icon: str, *, main: bool = False) -> None:
    _button(verb, label, icon, open_dialog, f"broadcast_{verb}", main=main)


def _pause(here: Current, view: BroadcastView) -> None:
    if get_broadcast(view.id).state == BroadcastState.PAUSED:
        _tell(
            _("The broadcast is paused."), None
        )  # the second click of a double click, or a colleague was quicker
        return
    error, _state = attempt(lambda: actions.pause(here.actor, view.id, now=utc_now()))
    after = get_broadcast(view.id)
    words = _("Paused: {sent} have got it, {left} are waiting.")
    _tell(
        error or words.format(sent=number(after.counts[DeliveryState.SENT]), left=number(left(after))), error
    )


def _unschedule(here: Current, broadcast_id: int) -> None:
    if get_broadcast(broadcast_id).state == BroadcastState.DRAFT:
        _tell(_("It is a draft again and won't start on its own."), None)
        return
    error, _state = attempt(lambda: actions.unschedule(here.actor, broadcast_id, now=utc_now()))
    _tell(error or _("It is a draft again and won't start on its own."), error)


def _revise(here: Current, broadcast_id: int) -> None:
    if asked_id() != broadcast_id:
        return  # the changes are open already
    error, draft_id = attempt(lambda: revisions.begin(here.actor, broadcast_id, now=utc_now()))
    if error is None:
        st.query_params.from_dict({"id": str(draft_id)})
    _tell(error or _("It stays scheduled as it is until you apply your changes."), error)


def _copy(here: Current, broadcast_id: int) -> None:
    if asked_id() != broadcast_id:
        return  # the copy is open already
    error, made = attempt(lambda: actions.copy_broadcast(here.actor, broadcast_id, now=utc_now()))
    if error is None:
        st.query_params.from_dict({"id": str(made)})
    _tell(error or _("This is the copy. Only customers who agreed again can get it."), error)


def _tell(words: str, error: str | None) -> None:
    flash(words, ":material/error:" if error else ":material/check_circle:")
