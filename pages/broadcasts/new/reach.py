"""Whom a topic reaches now: how many, who is left out and why, the people behind each number."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from core.broadcasts.dry_run_queries import DryRun, list_audience, sample_audience
from core.broadcasts.topic_reach import TopicReach
from core.clock import utc_now
from core.consent.audience_filters import AudienceFilters
from pages.components import page_registry
from pages.components.broadcast_words import eligibility_sentence, eligibility_word
from pages.components.counted_at import draw_counted
from pages.components.filters import pager
from pages.components.layout import Card, cards, section
from pages.components.markdown import escape_markdown
from pages.components.tables import Column, Two, table
from pages.components.texts import _, n_, number

SIZE, SAMPLE = 25, 5


def draw_reach(reach: TopicReach, *, saves_opt_ins: bool) -> None:
    """How many a broadcast on this topic would reach now."""
    run = reach.run
    left_over = max(0, reach.opt_ins - run.spends(saves_opt_ins=saves_opt_ins))
    kept = _("Opt-ins that stay for a later broadcast on this topic.")
    cards(
        [
            Card(_("Will get it"), number(run.eligible), used_words(run, saves_opt_ins=saves_opt_ins)),
            Card(_("Left out"), number(run.audience - run.eligible)),
            Card(_("Opt-ins left afterwards"), number(left_over), kept),
        ]
    )
    draw_counted(reach.counted_at)
    if not run.eligible:
        _nobody(run)


def used_words(run: DryRun, *, saves_opt_ins: bool) -> str:
    """How many opt-ins it costs to reach them."""
    if not saves_opt_ins:
        return _("Each of them uses one opt-in.")
    return n_(
        "As of now, {n} just wrote and keeps the opt-in.",
        "As of now, {n} just wrote and keep their opt-in.",
        run.in_window,
    )


def _nobody(run: DryRun) -> None:
    words = _("Nobody has agreed to this topic yet, so there is nobody to notify.")
    if run.audience:
        words = _("Nobody can get a broadcast on this topic right now; the reasons are below.")
    st.info(words, icon=":material/group_off:")
    page_registry.link("messages", _("Ask for it in a message (OTNR)"), icon=":material/forum:")


def draw_people(run: DryRun, topic_id: int, filters: AudienceFilters) -> None:
    """Draws who gets the broadcast and who does not, by reason, and the people behind the number that was
    clicked."""
    if not run.audience:
        return
    section(_("Who gets it, and who does not?"))
    counts = {"eligible": run.eligible, **run.left_out}
    columns = [
        Column(_("People who agreed"), _eligibility_cell, "75%", wraps=True),
        Column(_("People"), lambda row: row[1]),
    ]
    rows = [row for row in counts.items() if row[1]]
    table(columns, rows, key="broadcast_eligibility", on_click=lambda row: _address(row[0]))
    reason = st.query_params.get("people", "")
    if counts.get(reason):
        _list(topic_id, reason, filters, counts[reason])
    else:
        st.caption(_("Click a row to see who is in it."))
        _sample(topic_id, filters)


def _sample(topic_id: int, filters: AudienceFilters) -> None:
    """A few of those who would get it, by name."""
    some = sample_audience(topic_id, filters, now=utc_now(), limit=SAMPLE)
    names = [escape_markdown(each.name) for each in some if each.name]
    if names:
        st.caption(_("For example: {names}", names=", ".join(names)))


def _eligibility_cell(row: tuple[str, int]) -> Two:
    reason = row[0]
    if reason == "eligible":
        return Two(eligibility_word(reason), _("One message each, using the opt-in that ends first"))
    return Two(eligibility_word(reason), eligibility_sentence(reason))


def _address(reason: str | None) -> str:
    """This page with the people of a reason open below."""
    kept = {name: value for name, value in st.query_params.items() if name in ("id", "topic", "step")}
    return f"new_broadcast?{urlencode({**kept, 'people': reason})}"


def _list(topic_id: int, reason: str, filters: AudienceFilters, people: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        section(f"{eligibility_word(reason)} · {number(people)}")
        st.button(
            _("Hide"),
            key="who_hide",
            icon=":material/close:",
            type="tertiary",
            on_click=_hide_list,
        )
    slot = st.container()
    offset = pager(people, key=f"who_{reason}", size=SIZE)
    rows = list_audience(topic_id, reason, filters, now=utc_now(), offset=offset, limit=SIZE)
    columns = [
        Column(_("Customer"), lambda p: p.name or _("Name not known yet"), "60%"),
        Column("PSID", lambda p: p.psid),
    ]
    with slot:
        table(columns, rows, key="who_list", on_click=lambda p: f"customer?id={p.customer_id}")


def _hide_list() -> None:
    st.query_params.pop("people", None)


def draw_once_only(spends: int) -> None:
    """A reminder that whoever's opt-in is used has to agree again afterwards."""
    if not spends:
        return
    with st.container(key="broadcast_once", border=True):
        st.markdown(f":material/history_toggle_off: **{_('One opt-in, one message')}**")
        st.markdown(
            n_(
                "After this broadcast, this person needs to agree again before you can notify them about "
                "the topic once more.",
                "After this broadcast, these {n} people need to agree again before you can notify them about "
                "the topic once more.",
                spends,
            )
        )
