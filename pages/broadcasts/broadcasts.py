"""Every broadcast of the fanpage: what is on its way, what was sent, what waits for somebody."""

from datetime import datetime

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.list_queries import ORDERS, BroadcastLine, count_by_state, count_lines, list_lines
from core.broadcasts.rules import BroadcastState
from core.templates.rules import TemplateKind
from pages.components import page_registry
from pages.components.address import draw_no_fanpage
from pages.components.column_chooser import choose
from pages.components.filters import filter_pills, pager, search_box
from pages.components.layout import empty_state, page_header
from pages.components.session import Current, current
from pages.components.table_order import order_asked
from pages.components.tables import Badge, Column, Two, table
from pages.components.templates import draw_templates
from pages.components.texts import _, number, percent, state_label, who

SIZE = 25
STATES = ("sending", "scheduled", "paused", "missed", "draft", "finished", "cancelled")


def draw_page() -> None:
    here = current()
    slot = page_header(
        _("Broadcasts"),
        _("One message to everybody who agreed to a topic. It uses one opt-in from each of them."),
        key="broadcasts",
    )
    if here.fanpage is None:
        draw_no_fanpage("broadcasts")
        return
    with slot:
        draw_templates(here, TemplateKind.BROADCAST, here.fanpage.id)
    present = count_by_state(here.fanpage.id)
    if not present:
        _first(here)
        return
    if here.actor.may(Permission.EDIT) and slot.button(
        _("New broadcast"), key="broadcast_add", type="primary", icon=":material/add:"
    ):
        page_registry.go("new_broadcast")
    _list(here.fanpage.id, present)


def _first(here: Current) -> None:
    may_add = here.actor.may(Permission.EDIT)
    empty_state(
        "campaign",
        _("No broadcasts yet. Notify the people who agreed to a topic: once, and about exactly that."),
        button=_("Write the first broadcast") if may_add else None,
        page="new_broadcast",
        key="broadcasts",
    )


def _list(fanpage_id: int, present: dict[str, int]) -> None:
    with st.container(key="broadcasts_filters", horizontal=True, vertical_alignment="center"):
        search = search_box("q", _("Name or topic"))
        shown = {state: state_label("broadcast", state)[0] for state in STATES if state in present}
        state = filter_pills("state", shown)
        columns = choose("broadcasts", _columns())
    states = (state,) if state else ()
    total = count_lines(fanpage_id, states=states, search=search)
    if not total:
        st.info(_("No broadcasts match. Try part of the name, or another state."))
        return
    slot = st.container()
    offset = pager(total, key="broadcasts", size=SIZE)
    order = order_asked(ORDERS, "-when", pager_key="broadcasts")
    lines = list_lines(fanpage_id, states=states, search=search, offset=offset, limit=SIZE, order=order.word)
    with slot:
        table(columns, lines, key="broadcasts", on_click=_address, order=order)


def _columns() -> list[Column]:
    return [
        Column(_("Broadcast"), lambda b: b.name, "38%", key="name", sorts=True),
        Column(_("Topic"), lambda b: b.topic, "30%", key="topic"),
        Column(_("State"), lambda b: Badge("broadcast", b.looks), key="state"),
        Column(_("When"), _time, key="when", sorts=True),
        Column(_("Sent"), _sent, key="sent", is_narrow=True),
        Column(_("Failed"), _failed, key="failed", is_narrow=True),
        Column(_("Drafted by"), lambda b: who(b.created_by), key="by", is_extra=True),
    ]


def _address(line: BroadcastLine) -> str:
    return f"broadcast?id={line.id}"


def _time(line: BroadcastLine) -> datetime | None:
    """When it ended, else started, else is to start; a draft has no time yet."""
    return (
        line.finished_at or line.started_at or (None if line.state == BroadcastState.DRAFT else line.due_at)
    )


def _sent(line: BroadcastLine) -> object:
    if not line.started_at:
        return None
    words = _("{sent} of {people}", sent=number(line.sent), people=number(line.audience))
    return Two(words, percent(line.sent / line.audience)) if line.audience and not line.failed else words


def _failed(line: BroadcastLine) -> object:
    """Only where something failed: how many, and what share of the attempts."""
    if not line.failed:
        return None
    share = _("{share} of attempts", share=percent(line.failed / line.attempts))
    return Two(number(line.failed), share)


draw_page()
