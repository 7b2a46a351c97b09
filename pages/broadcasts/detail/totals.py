"""The closing balance: everybody is in exactly one state, and the states add up to the audience."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import streamlit as st

from core.broadcasts.queries import BroadcastView
from core.deliveries.failure_rules import ATTEMPTED
from pages.broadcasts.detail.unknown_notice import why_open
from pages.components.broadcast_words import reason_sentence, reason_word, still_growing
from pages.components.layout import section
from pages.components.tables import Badge, Column, Two, table
from pages.components.texts import _, number, percent, state_label

_SHOWN = ("sent", "failed", "skipped", "unknown", "cancelled", "sending", "queued")


@dataclass(frozen=True)
class Line:
    """A row of the balance: how many of whom, and what it shows when it is clicked."""

    cell: object
    people: int
    of: int  # attempts; 0 of whom no attempt was made
    show: str  # what its row shows below: a filter in the address


def draw_balance(view: BroadcastView) -> None:
    """The sum in words, and a row for each state that somebody is in."""
    _sum(view)
    if words := still_growing(view):
        st.caption(f":material/group_add: {words}")
    lines = [
        Line(Badge("delivery", state), view.counts[state], _base(view, state), f"&state={state}")
        for state in _SHOWN
        if view.counts[state]
    ]
    lines.append(Line(_("Audience"), view.audience, 0, ""))
    columns = [
        Column(_("Result"), lambda line: line.cell, "50%"),
        Column(_("People"), lambda line: line.people),
        Column(_("Share of attempts"), lambda line: percent(line.people / line.of) if line.of else None),
    ]
    table(columns, lines, key="broadcast_balance", on_click=lambda line: f"broadcast?id={view.id}{line.show}")


def _base(view: BroadcastView, state: str) -> int:
    return view.attempts if state in ATTEMPTED else 0


def _sum(view: BroadcastView) -> None:
    """ "4.210 = 4.000 sent + 210 failed", with a tick when it is so."""
    terms = [(state_label("delivery", s)[0], view.counts[s]) for s in _SHOWN if view.counts[s]]
    parts = '<span class="otn-op"> + </span>'.join(
        f"<span><b>{number(people)}</b> {escape(word.lower())}</span>" for word, people in terms
    )
    right, tick, tone = parts or "<b>0</b>", "check_circle", "otn-green"
    note = _("The totals match: everyone is counted exactly once.")
    if not view.balances:
        tick, tone = "sync", "otn-orange"
        note = _("Still counting: the numbers are changing right now.")
    st.html(
        f'<div class="otn-sum"><b>{number(view.audience)}</b> {escape(_("recipients"))}'
        f'<span class="otn-op"> = </span>{right}'
        f'<span class="otn-badge {tone}" title="{escape(note)}"><span class="otn-icon" aria-hidden="true">'
        f"{tick}</span>{escape(_('totals match') if view.balances else _('still counting'))}</span></div>"
    )


@dataclass(frozen=True)
class Why:
    """A reason, and for how many people it stands."""

    reason: str
    people: int
    is_open: bool = False

    @property
    def sentence(self) -> str:
        return why_open(self.reason) if self.is_open else reason_sentence(self.reason)

    @property
    def show(self) -> str:
        return f"&state=unknown&reason={self.reason}" if self.is_open else f"&reason={self.reason}"


def draw_reasons(view: BroadcastView) -> None:
    """Why some did not get it, or may not have: what happened, what it means, what to do."""
    if not view.reasons:
        return
    section(_("Why did some not get it?"))
    left = {code: people - view.open_reasons.get(code, 0) for code, people in view.reasons.items()}
    rows = [Why(code, people) for code, people in left.items() if people]
    rows += [Why(code, people, is_open=True) for code, people in view.open_reasons.items()]
    columns = [
        Column(_("Reason"), lambda why: Two(_headline(why), why.sentence), "82%", wraps=True),
        Column(_("People"), lambda why: why.people),
    ]
    rows.sort(key=lambda why: -why.people)
    table(columns, rows, key="broadcast_reasons", on_click=lambda why: f"broadcast?id={view.id}{why.show}")


def _headline(why: Why) -> str:
    word = reason_word(why.reason)
    return _("In doubt: {why}", why=word) if why.is_open else word
