"""Which opt-ins a list shows: name, topic, month and state, kept in the address."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.clock import utc_now
from core.consent.opt_in_queries import OptInFilter
from core.consent.queries import TopicView
from pages.components.filters import filter_choice, filter_pills, search_box
from pages.components.session import current
from pages.components.texts import _, state_label

SOON = timedelta(days=30)
MONTHS = 24
WITHOUT = "none"  # ?topic=none: the opt-ins that have none
STATES = ("available", "reserved", "spent", "expired", "refused", "withdrawn")


def choose_filters(topics: list[TopicView]) -> OptInFilter:
    """What the list is narrowed to; kept in the address."""
    with st.container(key="opt_ins_filters", horizontal=True, vertical_alignment="center"):
        search = search_box("q", _("Name or PSID, with or without accents"))
        words = {**{str(t.id): t.name for t in topics}, WITHOUT: _("Without topic")}
        topic = filter_choice("topic", words, _("All topics"), width=240)
        months = {month: _month(month) for month in _months()}
        month = filter_choice("agreed", months, _("Agreed at any time"), width=240)
        states = {state: state_label("opt_in", state)[0] for state in STATES}
        state = filter_pills("state", {"soon": _("End within 30 days"), **states})
    is_soon = state == "soon"
    return OptInFilter(
        topic_id=int(topic) if topic.isdigit() else None,
        without_topic=topic == WITHOUT,
        state=None if is_soon else state,
        ends_before=utc_now() + SOON if is_soon else None,
        search=search,
        agreed=_span(month) if month else None,
    )


def _zone() -> ZoneInfo:
    return ZoneInfo(current().zone)


def _months() -> list[str]:
    """The months in which an opt-in of the list may have been agreed to, as "2026-11", the latest first."""
    today = utc_now().astimezone(_zone())
    count = today.year * 12 + today.month - 1
    return [f"{each // 12}-{each % 12 + 1:02}" for each in range(count, count - MONTHS, -1)]


def _month(month: str) -> str:
    return _("Agreed in {month}", month=f"{month[5:]}/{month[:4]}")


def _span(month: str) -> tuple[datetime, datetime]:
    """From the first moment of a month to that of the next, in the fanpage's zone."""
    year, number = int(month[:4]), int(month[5:])
    first = datetime(year, number, 1, tzinfo=_zone())
    return first, datetime(year + number // 12, number % 12 + 1, 1, tzinfo=_zone())
