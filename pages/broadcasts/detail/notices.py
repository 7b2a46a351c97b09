"""What a broadcast needs from people: stopped by Messenger, missed, stopped itself, outcomes in doubt."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.dashboard_queries import get_first_part
from core.broadcasts.queries import BroadcastView
from core.broadcasts.quiet_hours import quiet_until
from core.broadcasts.rules import CANARY_FAILED, OTN_OFF, BroadcastState, alike_reason
from core.deliveries.rules import DeliveryState
from core.fanpages.queries import FanpageView
from core.fanpages.rules import OTN_IS_OFF
from core.messenger.reasons import describe
from pages.broadcasts.canary import draw_first_part
from pages.broadcasts.detail.unknown_notice import draw_worker_missing
from pages.broadcasts.detail.unknown_outcomes import draw_settle_buttons
from pages.components import page_registry
from pages.components.broadcast_words import ALL_REFUSED, reason_word
from pages.components.failing import failing_head
from pages.components.session import Current
from pages.components.texts import _, n_, number, when


def draw_notes(here: Current, view: BroadcastView, fanpage: FanpageView, now: datetime) -> None:
    left = view.counts[DeliveryState.QUEUED] + view.counts[DeliveryState.SENDING]
    stopped = fanpage.stopped_code
    match view.state:
        case BroadcastState.SCHEDULED | BroadcastState.SENDING | BroadcastState.PAUSED if stopped:
            _stopped(here, view, stopped, left)
        case BroadcastState.PAUSED if reason := alike_reason(view.pause_code):
            _paused_itself(here, view, reason, left)
        case BroadcastState.PAUSED if view.pause_code == OTN_OFF and fanpage.otn_off_at:
            st.error(_(OTN_IS_OFF), icon=":material/notifications_off:")
        case BroadcastState.PAUSED if view.pause_code != CANARY_FAILED:
            _paused(view, left)
        case BroadcastState.MISSED:
            _missed(view)
        case BroadcastState.CANCELLED if view.pause_code == ALL_REFUSED:
            _stopped_itself(view)
        case BroadcastState.CANCELLED:
            _cancelled(view)
        case BroadcastState.FINISHED if not view.audience:
            _nobody()
    is_due = view.state == BroadcastState.SCHEDULED and view.due_at is not None and view.due_at <= now
    if is_due or view.state == BroadcastState.SENDING:
        _quiet(fanpage, now)
    if (is_due or view.state == BroadcastState.SENDING) and not stopped:
        draw_worker_missing(now)
    draw_first_part(here, view, get_first_part(view.id))
    draw_settle_buttons(here, view)


def _quiet(fanpage: FanpageView, now: datetime) -> None:
    until = quiet_until(fanpage.launch_rules, fanpage.timezone, now)
    if until is not None:
        words = _("Nothing is sent in quiet hours and on days off. Sending continues automatically {when}.")
        st.info(words.format(when=when(until, fanpage.timezone)), icon=":material/bedtime:")


def _stopped(here: Current, view: BroadcastView, code: str, left: int) -> None:
    waiting = n_(
        "{n} customer is still waiting; their opt-in is safe.",
        "{n} customers are still waiting; their opt-ins are safe.",
        left,
    )
    if view.state == BroadcastState.SCHEDULED:
        waiting = _("This broadcast won't start until that is fixed; no opt-in has been used.")
    title = f"**{_('Messenger is not accepting messages from this fanpage, so nothing is being sent.')}**"
    after = _("Once it is fixed, sending continues where it stopped.")
    st.error(f"{title} {_(describe(code))}\n\n{waiting} {after}", icon=":material/block:")
    if here.actor.may(Permission.ADMIN):
        page_registry.link("setup", _("Fix it under Set-up"), icon=":material/build:")
    else:
        st.caption(_("Ask an admin to fix it under Set-up."))


def _paused_itself(here: Current, view: BroadcastView, reason: str, left: int) -> None:
    refused = n_(
        "**Paused automatically.** Messenger refused {n} customer for the same reason each time "
        "({reason}), so the customers are probably not the problem. Nobody was marked as "
        "unreachable for that, and their opt-ins can be used again.",
        "**Paused automatically.** Messenger refused {n} customers for the same reason each time "
        "({reason}), so the customers are probably not the problem. Nobody was marked as "
        "unreachable for that, and their opt-ins can be used again.",
        view.reasons.get(reason, 0),
        reason=reason_word(reason),
    )
    waiting = n_(
        "{n} customer is still waiting; their opt-in is safe.",
        "{n} customers are still waiting; their opt-ins are safe.",
        left,
    )
    todo = _(
        "1. Check the fanpage under Set-up, the message, and where the opt-ins came from; "
        "Messenger's own answers are below.  \n2. Press “Resume” to continue with those who are "
        "waiting.  \n3. Once they arrive, retry the failed messages."
    )
    head = f"{failing_head(view.failing)}\n\n" if view.failing else ""
    st.error(f"{head}{refused} {waiting}\n\n{todo}", icon=":material/gpp_maybe:")
    if here.actor.may(Permission.ADMIN):
        page_registry.link("setup", _("Set-up"), icon=":material/build:")


def _paused(view: BroadcastView, left: int) -> None:
    words = n_(
        "**Paused.** {n} customer is waiting; the opt-in stays on hold until you resume or cancel.",
        "**Paused.** {n} customers are waiting; their opt-ins stay on hold until you resume or cancel.",
        left,
    )
    if view.best_before:
        late = _("Anyone who hasn't got it by {when} won't get it.", when=when(view.best_before))
        words = f"{words} {late}"
    st.warning(words, icon=":material/pause_circle:")


def _missed(view: BroadcastView) -> None:
    st.error(
        _(
            "**Missed.** It should have started {due}, but could not before its send-by time "
            "({late}): the worker was not running, or Messenger was not accepting messages from "
            "the fanpage. Nothing was sent and no opt-in was used. Is it still worth sending? "
            "Choose a new time; if not, cancel it.",
            due=when(view.due_at),
            late=when(view.best_before),
        ),
        icon=":material/event_busy:",
    )


def _stopped_itself(view: BroadcastView) -> None:
    refused = view.counts[DeliveryState.FAILED]
    st.error(
        _(
            "**Stopped automatically.** Messenger refused the first {refused} customers and nobody "
            "was reached, so the problem is probably the message itself. {kept} unused opt-ins "
            "were returned.",
            refused=number(refused),
            kept=number(view.counts[DeliveryState.CANCELLED]),
        )
        + "\n\n"
        + _(
            "1. Check the text, links and image.  \n2. Make the refused opt-ins available again, "
            "once you are sure that they were not the problem.  \n3. Duplicate this broadcast, "
            "correct it, and launch the copy."
        ),
        icon=":material/gpp_maybe:",
    )
    page_registry.link(
        "opt_ins",
        _("See the refused opt-ins"),
        icon=":material/notifications_active:",
        topic=view.topic_id,
        state="refused",
    )


def _cancelled(view: BroadcastView) -> None:
    """What had happened by then."""
    if not view.started_at:
        words = _("It was cancelled before it started: nobody got it, and no opt-in was used.")
    else:
        words = _(
            "It was cancelled {when}: {sent} of {audience} customers had got it, and {kept} unused "
            "opt-ins were returned.",
            when=when(view.finished_at),
            sent=number(view.counts[DeliveryState.SENT]),
            audience=number(view.audience),
            kept=number(view.counts[DeliveryState.CANCELLED]),
        )
    st.info(words, icon=":material/cancel:")


def _nobody() -> None:
    words = _("When it started, nobody had an available opt-in, so nobody got it.")
    st.info(words, icon=":material/group_off:")
