"""What goes out in the next two weeks, day by day on the fanpage's clock."""

from __future__ import annotations

from datetime import datetime, time

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.calendar_queries import list_entries
from core.broadcasts.rules import BroadcastState
from core.clock import local_to_utc, today_in
from pages.components import page_registry
from pages.components.calendar_grid import Grid, by_day, days_from, draw_grid
from pages.components.layout import section
from pages.components.session import Current
from pages.components.texts import _

DAYS = 14
_SHOWN = (BroadcastState.SCHEDULED, BroadcastState.MISSED, BroadcastState.SENDING, BroadcastState.PAUSED)


def draw_ahead(here: Current, fanpage_id: int) -> None:
    """Two rows of seven days from today; what has ended is in the calendar."""
    section(_("What goes out in the next two weeks?"))
    today = today_in(here.zone)
    days = days_from(today, DAYS)
    start, end = (
        local_to_utc(datetime.combine(day, time()), here.zone)
        for day in (today, days_from(today, DAYS + 1)[-1])
    )
    entries = [each for each in list_entries(fanpage_id, start, end) if each.state in _SHOWN]
    if not entries:
        st.caption(_("Nothing is scheduled for the next two weeks."))
    else:
        may_move = here.actor.may(Permission.SEND)
        grid = Grid(days, by_day(entries, here.zone), here.zone, today, most=3, may_move=may_move)
        draw_grid(grid, key="ahead")
    page_registry.link("calendar", _("Open the calendar"), icon=":material/calendar_month:")
