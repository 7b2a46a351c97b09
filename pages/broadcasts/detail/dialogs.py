"""The dialogs before a dear step: what it means in numbers."""

from __future__ import annotations

import streamlit as st

from core.broadcasts import actions
from core.broadcasts.queries import BroadcastView, get_broadcast
from core.broadcasts.rules import BroadcastState
from core.broadcasts.topic_reach import get_reach
from core.clock import utc_now
from core.deliveries.rules import DeliveryState
from core.fanpages.queries import get_fanpage
from pages.broadcasts.people_typed import ask_number, typed_number
from pages.components.broadcast_words import still_growing
from pages.components.dialogs import confirm, confirm_buttons, dialog
from pages.components.session import Current, flash
from pages.components.texts import _, n_, number

CANCELLABLE = (
    BroadcastState.SCHEDULED,
    BroadcastState.SENDING,
    BroadcastState.PAUSED,
    BroadcastState.MISSED,
)


def left(view: BroadcastView) -> int:
    """How many people have not got it and still may."""
    return view.counts[DeliveryState.QUEUED] + view.counts[DeliveryState.SENDING]


def draw_dialogs(here: Current, view: BroadcastView) -> None:
    """Draws every dialog that its state has; each shows only while it is open."""
    match view.state:
        case BroadcastState.SCHEDULED:
            _launch_dialog(here, view)
            confirm(
                "broadcast_unschedule",
                _("Put it back to draft?"),
                _(
                    "It will no longer start at its scheduled time, and has to be approved again. "
                    "To change it while it stays scheduled, use “Edit”."
                ),
                _("Back to draft"),
                lambda: actions.unschedule(here.actor, view.id, now=utc_now()),
                done=_("It is a draft again and won't start on its own."),
            )
        case BroadcastState.PAUSED:
            _resume_dialog(here, view)
    if view.state in CANCELLABLE:
        _cancel_dialog(here, view)


def _launch_dialog(here: Current, view: BroadcastView) -> None:
    run = get_reach(view.topic_id, view.filters, now=utc_now()).run
    eligible, spends = run.eligible, run.spends(saves_opt_ins=view.saves_opt_ins)
    body = n_(
        "**{n} opt-in will be used and can't be taken back.** It starts within seconds instead of "
        "at the scheduled time.",
        "**{n} opt-ins will be used and can't be taken back.** It starts within seconds instead of "
        "at the scheduled time.",
        spends,
    )
    nobody = _(
        "Nobody would get it right now, so there is nothing to send. It stays scheduled: anyone who "
        "agrees to the topic by then gets it."
    )
    verb = n_("Send to {n} customer now", "Send to {n} customers now", eligible)
    rules = get_fanpage(view.fanpage_id).launch_rules

    def launch() -> None:
        count = typed_number()
        actions.launch(here.actor, view.id, version=view.version, typed_count=count, now=utc_now())

    def draw() -> None:
        st.markdown(body if eligible else nobody)
        ask_number(rules, eligible)
        done = _("Sending has started. You can follow it here.")
        label = verb if eligible else _("Send now")
        confirm_buttons("broadcast_launch", label, launch, done=done, disabled=not eligible)

    dialog("broadcast_launch", _("Send it now?"), draw)


def _resume_dialog(here: Current, view: BroadcastView) -> None:
    waiting = left(view)
    body = n_(
        "{sent} customers have got it. {n} more gets it now; that opt-in can't be taken back.",
        "{sent} customers have got it. {n} more get it now; those opt-ins can't be taken back.",
        waiting,
        sent=number(view.counts[DeliveryState.SENT]),
    )
    verb = n_("Send to {n} more", "Send to {n} more", waiting)
    confirm(
        "broadcast_resume",
        _("Resume sending?"),
        f"{body}\n\n{still_growing(view)}",
        verb,
        lambda: actions.resume(here.actor, view.id, pause_code=view.pause_code, now=utc_now()),
        done=_("Sending continues."),
    )


def _cancel_dialog(here: Current, view: BroadcastView) -> None:
    body = _("Nothing has been sent. No opt-in was used.")
    if view.started_at:
        got = n_("{n} customer has got it.", "{n} customers have got it.", view.counts[DeliveryState.SENT])
        kept = n_(
            "{n} customer still waiting won't get it and keeps the opt-in.",
            "{n} customers still waiting won't get it and keep their opt-ins.",
            view.counts[DeliveryState.QUEUED],
        )
        body = f"{got} {kept}"
        if view.counts[DeliveryState.SENDING]:
            on_way = n_(
                "{n} is on its way and may still arrive.",
                "{n} are on their way and may still arrive.",
                view.counts[DeliveryState.SENDING],
            )
            body = f"{body} {on_way}"
    no_way_back = _("A cancelled broadcast can't be resumed, but you can duplicate it.")
    body = f"{body}\n\n{still_growing(view)}\n\n{no_way_back}"
    confirm(
        "broadcast_cancel",
        _("Cancel this broadcast?"),
        body,
        _("Cancel the broadcast"),
        lambda: _cancel(here, view),
    )


def _cancel(here: Current, view: BroadcastView) -> None:
    """To stop is right in any case; but if it has started since the dialog was opened, that is told."""
    actions.cancel(here.actor, view.id, seen=view.state, now=utc_now())
    after = get_broadcast(view.id)
    if view.started_at is None and after.started_at is not None:
        started = n_(
            "The broadcast is cancelled. It had started in the meantime, and {n} customer has got it.",
            "The broadcast is cancelled. It had started in the meantime, and {n} customers have got it.",
            after.counts[DeliveryState.SENT],
        )
        flash(started, icon=":material/info:")
        return
    flash(_("The broadcast is cancelled."))
