"""Whether the fanpage is well: when customers were last heard of, who sends, what a check found."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.fanpages.queries import FanpageView, is_worker_alive
from core.inbox.last_heard_queries import get_hearing
from core.inbox.silence_alarm_rules import Hearing, Silence
from pages.components import page_registry
from pages.components.fanpage_state import draw_problems
from pages.components.session import Current
from pages.components.texts import _, ago


def draw_heard(here: Current, fanpage: FanpageView) -> None:
    """Alarms, and one quiet line with the last webhook."""
    now = utc_now()
    if not is_worker_alive(now=now):
        words = _(
            "**Nothing is being sent: the worker is not running.** Scheduled broadcasts won't "
            "start. Nothing is lost; tell your admin."
        )
        st.error(words, icon=":material/cloud_off:")
    draw_problems(fanpage)
    hearing = get_hearing(fanpage.id, fanpage.page_id)
    silence = hearing.silence(now)
    if silence == Silence.UNANSWERED:
        st.error(_unanswered(hearing), icon=":material/hearing_disabled:")
    elif silence == Silence.QUIET:
        words = _(
            "**Nothing has been heard from customers since {when}.** Before that they were asked "
            "for opt-ins every few days, so somebody should have written. Check the webhook.",
            when=ago(hearing.heard_at),
        )
        st.warning(words, icon=":material/hearing_disabled:")
    if silence:
        page = "setup" if here.actor.may(Permission.ADMIN) else "health"
        page_registry.link(page, _("Check the webhook"), icon=":material/stethoscope:")
    heard = _("No webhook has arrived yet")
    if hearing.heard_at:
        heard = _("Last webhook {when}", when=ago(hearing.heard_at))
    st.caption(f":material/hearing: {heard}")


def _unanswered(hearing: Hearing) -> str:
    out = ago(hearing.out_at)
    if hearing.heard_at is None:
        return _(
            "**Messages went out {out}, but no webhook has ever arrived.** Taps and answers are "
            "lost until this is fixed: check the webhook address, its subscriptions and the "
            "webhook server.",
            out=out,
        )
    return _(
        "**Messages went out {out}, but nothing has been heard since {heard}:** no tap, no "
        "message, no report. Opt-ins are probably being lost: check the webhook address, its "
        "subscriptions and the webhook server.",
        out=out,
        heard=ago(hearing.heard_at),
    )
