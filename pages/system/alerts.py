"""The part of the health page about alerts: who is told outside the panel, and whether that works."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.alerts import actions, channels
from core.alerts.channel_state import ChannelView, list_channels
from core.alerts.channels import NAMES
from core.clock import utc_now
from pages.components.layout import section
from pages.components.markdown import escape_markdown
from pages.components.session import current, do
from pages.components.texts import _, ago


def draw_alerts() -> None:
    """How each channel fares, and the button for a test."""
    section(_("Alerts"))
    known = list_channels(channels.channels())
    if not known:
        st.info(
            _(
                "Nobody is alerted outside the panel when a broadcast stops, a fanpage needs "
                "attention, opt-ins are about to end or a backup fails. Set OTN_ALERT_EMAIL with "
                "OTN_SMTP_HOST, or OTN_ALERT_URL, and restart."
            ),
            icon=":material/notifications_off:",
        )
        return
    st.fragment(run_every=5)(_channels)()
    actor = current().actor
    may_test = actor.may(Permission.ADMIN) and actor.has_all_fanpages
    if may_test and st.button(
        _("Send a test alert"), key="alert_test", icon=":material/notifications_active:"
    ):
        said = _("The worker sends it within seconds; the result appears under Alerts.")
        if do(lambda: actions.ask_for_test(current().actor, now=utc_now()), done=said) is not None:
            st.rerun()


def _channels() -> None:
    for each in list_channels(channels.channels()):
        name = _(NAMES[each.channel])
        if each.problem:
            words = _(
                "{channel}: the latest alert could not be sent ({when}).",
                channel=name,
                when=ago(each.failed_at),
            )
            st.warning(
                f"{words} {escape_markdown(_(each.problem))}", icon=":material/notification_important:"
            )
        else:
            st.caption(f"{name}: {_state(each)}")


def _state(each: ChannelView) -> str:
    if each.test_asked_at is not None:
        return _("a test alert is waiting for the worker")
    if each.sent_at is None:
        return _("nothing has been sent yet")
    return _("last sent {when}", when=ago(each.sent_at))
