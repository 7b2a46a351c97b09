"""The people behind every number of a broadcast: filtered, searched, paged by the database, exported."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.delivery_queries import DeliveryView, count_deliveries, list_deliveries
from core.broadcasts.queries import BroadcastView
from core.broadcasts.results import Result
from core.broadcasts.results_export import csv_report, workbook_report
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.deliveries.attempts import AttemptView, attempts_of
from core.deliveries.rules import DeliveryState
from pages.broadcasts.detail.filters import choose_reason, choose_state
from pages.broadcasts.detail.unknown_outcomes import draw_unknown_outcomes
from pages.components.attempts import code_of
from pages.components.broadcast_words import EVIDENCE, REASONS, evidence_word, reason_word
from pages.components.column_chooser import choose
from pages.components.export import export_menu, in_words, state_in_words
from pages.components.filters import pager, search_box
from pages.components.person import page_of, person
from pages.components.session import Current
from pages.components.tables import Badge, Column, Two, table
from pages.components.texts import _, speaker, when
from pages.components.unknown_outcomes import ANCHOR

SIZE = 25
ARRIVALS = tuple(str(each) for each in Result if each != Result.SENT)


def draw_people(here: Current, view: BroadcastView) -> None:
    """The list with its filters and its export; outcomes in doubt come with their evidence instead."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.subheader(_("Who is behind each number"), anchor=ANCHOR)
        _export(view)
    with st.container(key="people_filters", horizontal=True, vertical_alignment="center"):
        search = search_box("q", _("Name or PSID, with or without accents"))
        reason = choose_reason(view)
    shown = choose_state(view)
    arrival = shown if shown in ARRIVALS else None
    states = (shown,) if shown and not arrival else ()
    total = count_deliveries(view.id, states=states, arrival=arrival, reason=reason, search=search)
    if not total:
        st.info(_("Nobody matches. Try fewer filters."))
        return
    slot = st.container()
    offset = pager(total, key="people", size=SIZE)
    if view.state == BroadcastState.SENDING:  # the bar above moves on, what somebody reads here does not
        st.caption(
            _("As of {when}; reload the page for the latest.", when=when(utc_now(), to_the_second=True))
        )
    rows = list_deliveries(
        view.id, states=states, arrival=arrival, reason=reason, search=search, offset=offset, limit=SIZE
    )
    with slot:
        if shown == "unknown":
            draw_unknown_outcomes(here, view, rows, whole=total == view.counts[DeliveryState.UNKNOWN])
            return
        table(
            choose("people", _columns(attempts_of([d.id for d in rows]))),
            rows,
            key="people",
            on_click=page_of,
        )


def _columns(attempts: dict[int, list[AttemptView]]) -> list[Column]:
    return [
        Column(_("Customer"), person, "32%"),
        Column(_("Result"), lambda d: Badge("delivery", d.state), key="state"),
        Column(_("Why"), lambda d: _why(d, attempts.get(d.id, [])), "28%", key="why"),
        Column(_("Promise"), lambda d: d.promise or _("Not recorded"), "30%", key="promise"),
        Column(_("When"), lambda d: d.settled_at, key="when"),
        Column(_("Delivered"), lambda d: d.delivered_at, key="delivered", is_extra=True),
        Column(_("Read"), lambda d: d.read_at, key="read"),
        Column(_("Clicked a link"), lambda d: d.clicked_at, key="clicked"),
    ]


def _why(delivery: DeliveryView, attempts: list[AttemptView]) -> str | Two:
    words = reason_word(delivery.reason) or evidence_word(delivery.evidence)
    if delivery.in_doubt and not delivery.settled_at:
        words = _("{why}; checking again", why=words)
    code = code_of(attempts[-1]) if attempts and delivery.state == DeliveryState.FAILED else ""
    return Two(words, code) if code else words


def _export(view: BroadcastView) -> None:
    say = speaker()
    words = {"state": state_in_words("delivery"), "reason": in_words(REASONS), "evidence": in_words(EVIDENCE)}
    export_menu(
        "people_export",
        f"broadcast-{view.id}",
        [view.fanpage_id],
        csv=lambda: b"".join(csv_report(view.id)),
        workbook=lambda: workbook_report(view.id, zone=view.timezone, say=say, words=words),
        help=_("One row per person with the result and its reason. It contains no tokens."),
    )
