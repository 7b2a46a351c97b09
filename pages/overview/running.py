"""Broadcasts on the overview: what needs somebody, and what is on its way."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.list_queries import BroadcastLine, list_lines
from core.broadcasts.rules import BroadcastState
from core.consent.queries import TopicView
from core.errors import N_
from core.fanpages.queries import FanpageView
from core.messenger.reasons import describe
from pages.components import page_registry
from pages.components.fanpage_state import draw_other_app, draw_policy
from pages.components.layout import section
from pages.components.session import Current, current
from pages.components.tables import Badge, Column, Two, table
from pages.components.texts import _, n_, number, percent

_UNDER_WAY = (BroadcastState.SENDING, BroadcastState.PAUSED)
_EVERY = timedelta(seconds=3)
SHOWN = 6
MISSED = N_(
    "A broadcast missed its send time and nothing was sent. Decide whether it is still worth sending."
)


def draw_alerts(
    here: Current, fanpage: FanpageView, topics: list[TopicView], missed: list[BroadcastLine]
) -> None:
    """What needs somebody now, the worst first."""
    if fanpage.stopped_code:
        title = f"**{_('Messenger is not accepting messages from this fanpage, so nothing is being sent.')}**"
        st.error(f"{title} {_(describe(fanpage.stopped_code))}", icon=":material/block:")
        if here.actor.may(Permission.ADMIN):
            page_registry.link("setup", _("Fix it under Set-up"), icon=":material/build:")
        else:
            st.caption(_("Ask an admin to fix it under Set-up."))
    draw_policy(fanpage, here.actor)
    draw_other_app(fanpage)
    for line in missed:
        with st.container(key=f"missed_{line.id}", horizontal=True, vertical_alignment="center"):
            st.warning(_(MISSED), icon=":material/event_busy:", width="stretch")
            page_registry.link("broadcast", line.name, icon=":material/arrow_forward:", id=line.id)
    _expiring(topics)


def _expiring(topics: list[TopicView]) -> None:
    soon = [topic for topic in topics if topic.expiring_30_days]
    if not soon:
        return
    words = n_(
        "{n} opt-in ends within 30 days: use it, or you lose the right to notify that customer.",
        "{n} opt-ins end within 30 days: use them, or you lose the right to notify those customers.",
        sum(topic.expiring_30_days for topic in soon),
    )
    with st.container(key="expiring", horizontal=True, vertical_alignment="center"):
        st.info(words, icon=":material/hourglass_bottom:", width="stretch")
        page_registry.link("opt_ins", _("See them"), icon=":material/arrow_forward:", state="soon")


def draw_under_way(fanpage_id: int) -> None:
    """Redraws itself while something is under way."""
    lines = _under_way(fanpage_id)
    if not lines:
        return
    section(_("What is being sent now?"))
    moves = any(line.state == BroadcastState.SENDING for line in lines)
    # A fragment redraws itself alone: the rest of the page is not asked every few seconds.
    st.fragment(_draw_under_way, run_every=_EVERY if moves else None)(
        fanpage_id, [(line.id, line.state) for line in lines]
    )


def _under_way(fanpage_id: int) -> list[BroadcastLine]:
    lines = list_lines(fanpage_id, states=_UNDER_WAY, limit=SHOWN)
    return sorted(lines, key=lambda line: (_UNDER_WAY.index(line.state), line.due_at or line.created_at))


def _draw_under_way(fanpage_id: int, drawn: list[tuple[int, str]]) -> None:
    current()
    lines = _under_way(fanpage_id)
    if [(line.id, line.state) for line in lines] != drawn:
        st.rerun(scope="app")
    columns = [
        Column(_("Broadcast"), lambda b: Two(b.name, b.topic), "44%"),
        Column(_("State"), lambda b: Badge("broadcast", b.looks)),
        Column(_("Progress"), _progress, "34%"),
    ]
    table(columns, lines, key="under_way", on_click=lambda b: f"broadcast?id={b.id}")


def _progress(line: BroadcastLine) -> object:
    share = percent(line.ended / line.audience) if line.audience else "–"
    if line.failed:
        failed = percent(line.failed / line.attempts)
        share = _("{failed} failed, {share} of attempts", failed=number(line.failed), share=failed)
    return Two(_("{done} of {people} done", done=number(line.ended), people=number(line.audience)), share)
