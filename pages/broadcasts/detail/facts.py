"""A broadcast beyond its numbers: the plan before it starts, who and when, Messenger's own words."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.dashboard_queries import PlatformAnswer, list_answers
from core.broadcasts.queries import BroadcastView
from core.broadcasts.rules import BroadcastState
from core.broadcasts.topic_reach import get_reach
from core.clock import utc_now
from pages.broadcasts.filter_words import filter_words
from pages.components import page_registry
from pages.components.broadcast_words import reason_word
from pages.components.layout import Card, cards, section
from pages.components.tables import Column, table
from pages.components.texts import _, ago, duration, number, when, who


def draw_plan(view: BroadcastView) -> None:
    """Before the start: when it goes, and whom it would reach."""
    now = utc_now()
    due_at = view.due_at if view.due_at and view.due_at > now else None
    run = get_reach(view.topic_id, view.filters, now=now, due_at=due_at).run
    if view.state == BroadcastState.SCHEDULED and view.due_at and view.due_at <= now:
        section(_("Starting any moment now"))
    elif view.state == BroadcastState.SCHEDULED:
        section(_("Starts {when}", when=f"{when(view.due_at, view.timezone)} · {ago(view.due_at)}"))
    cards(
        [
            Card(_("Would get it"), number(run.eligible), _("As of now; decided when it starts.")),
            Card(_("Takes about"), duration(max(1.0, run.seconds_at_rate)) if run.eligible else "–"),
        ]
    )
    if not run.eligible:
        st.warning(_("Nobody would get it right now."), icon=":material/group_off:")


def draw_facts(view: BroadcastView) -> None:
    with st.expander(_("Details"), icon=":material/info:"):
        columns = [
            Column(_("What"), lambda row: row[0], "34%"),
            Column(_("Value"), lambda row: row[1], "66%", wraps=True),
        ]
        table(columns, [fact for fact in _facts(view) if fact[1]], key="broadcast_facts")
        page_registry.link("topics", _("Open the topic"), icon=":material/label:", id=view.topic_id)
        _answers(list_answers(view.id) if view.started_at else [])


def _facts(view: BroadcastView) -> list[tuple[str, str]]:
    return [
        (_("OTN topic"), view.topic),
        (_("Only some of them"), filter_words(view.filters, view.timezone)),
        (_("Opt-ins"), _("Customers who just wrote keep theirs") if view.saves_opt_ins else ""),
        (_("Drafted on"), f"{when(view.created_at, view.timezone)} · {who(view.created_by)}"),
        (_("Launched by"), who(view.launched_by)),
        (_("Approved version"), _approved(view)),
        (_("Scheduled start"), when(view.due_at, view.timezone) if view.due_at else ""),
        (_("Started"), when(view.started_at, view.timezone) if view.started_at else ""),
        (_("Ended"), when(view.finished_at, view.timezone) if view.finished_at else ""),
        (
            _("Send until"),
            when(view.best_before, view.timezone) if view.best_before else _("no send-by time"),
        ),
        (_("Sending rate"), _("{n} per second", n=number(view.rate))),
    ]


def _approved(view: BroadcastView) -> str:
    if view.approved_version is None:
        return ""
    at = f" · {when(view.approved_at, view.timezone)}" if view.approved_at else ""
    return f"{number(view.approved_version)} · {who(view.approved_by)}{at}"


def _answers(answers: list[PlatformAnswer]) -> None:
    """The technical part: what Messenger said, word for word."""
    if not answers:
        return
    section(_("What Messenger answered (technical)"))
    columns = [
        Column(_("Reason"), lambda answer: reason_word(answer.reason), "24%", wraps=True),
        Column(_("Answer"), lambda answer: answer.detail, "60%", wraps=True),
        Column(_("People"), lambda answer: answer.people),
    ]
    table(columns, answers, key="broadcast_answers")
