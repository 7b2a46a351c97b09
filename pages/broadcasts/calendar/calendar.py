"""When what goes out: a month or a week on the fanpage's clock, with Vietnam's holidays."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import streamlit as st
from babel.dates import format_date

from core.accounts.rules import Permission
from core.broadcasts.calendar_queries import list_entries
from core.clock import local_to_utc, today_in
from pages.broadcasts.calendar.moving import draw_move_dialog
from pages.components import page_registry
from pages.components.address import draw_no_fanpage
from pages.components.calendar_grid import Grid, by_day, draw_grid, month_of, week_of
from pages.components.layout import page_header
from pages.components.session import current
from pages.components.styles import draw_broadcast_styles, draw_calendar_styles
from pages.components.texts import _, language

MOST_IN_MONTH, MOST_IN_WEEK = 3, 50


def draw_page() -> None:
    here = current()
    purpose = _("Every broadcast, in the fanpage's time zone ({zone}).", zone=here.zone.replace("_", " "))
    slot = page_header(_("Calendar"), purpose, key="calendar")
    if here.fanpage is None:
        draw_no_fanpage("calendar")
        return
    draw_broadcast_styles()
    draw_calendar_styles()
    if here.actor.may(Permission.EDIT) and slot.button(
        _("New broadcast"), key="broadcast_add", type="primary", icon=":material/add:"
    ):
        page_registry.go("new_broadcast")
    today, day = today_in(here.zone), _asked_day(today_in(here.zone))
    is_week = st.query_params.get("view") == "week"
    _controls(day, today, is_week=is_week)
    days = week_of(day) if is_week else month_of(day)
    entries = list_entries(here.fanpage.id, _midnight(days[0], here.zone), _midnight(days[-1], here.zone, 1))
    may_move = here.actor.may(Permission.SEND)
    draw_grid(
        Grid(
            days,
            by_day(entries, here.zone),
            here.zone,
            today,
            month=None if is_week else day.month,
            most=MOST_IN_WEEK if is_week else MOST_IN_MONTH,
            may_move=may_move,
            shows_topics=is_week,
        ),
        key="calendar_week" if is_week else "calendar_month",
    )
    if not entries:
        words = _("Nothing goes out this week.") if is_week else _("Nothing goes out this month.")
        st.caption(words)
    elif may_move:
        st.caption(
            _(
                "Click a name to open the broadcast, or the calendar icon beside it to move it to another "
                "time."
            )
        )
    if may_move:
        draw_move_dialog(here, here.fanpage.id)


def _asked_day(today: date) -> date:
    try:
        asked = date.fromisoformat(st.query_params.get("day", ""))
    except ValueError:
        return today
    return asked if date(2000, 1, 1) < asked < date(2200, 1, 1) else today


def _midnight(day: date, zone: str, later: int = 0) -> datetime:
    return local_to_utc(datetime.combine(day + timedelta(days=later), time()), zone)


def _controls(day: date, today: date, *, is_week: bool) -> None:
    """Where one is, the way to the time before and after, and month or week."""
    with st.container(key="calendar_controls", horizontal=True, vertical_alignment="center"):
        before, after = _neighbours(day, is_week=is_week)
        _go(
            "before",
            "chevron_left",
            _("Previous week") if is_week else _("Previous month"),
            before,
            is_week,
        )
        _go("after", "chevron_right", _("Next week") if is_week else _("Next month"), after, is_week)
        st.button(_("Back to today"), key="calendar_today", on_click=_show, args=(today, is_week))
        st.markdown(f"**{_title(day, is_week=is_week)}**", width="stretch")
        st.segmented_control(
            _("Show"),
            ["month", "week"],
            key="calendar_view",
            default="week" if is_week else "month",
            format_func=lambda view: _("Week") if view == "week" else _("Month"),
            label_visibility="collapsed",
            on_change=_change_view,
            args=(day,),
            required=True,
        )


def _go(name: str, icon: str, label: str, day: date, is_week: bool) -> None:
    st.button(
        f":material/{icon}:",
        key=f"calendar_{name}",
        help=label,
        on_click=_show,
        args=(day, is_week),
    )


def _neighbours(day: date, *, is_week: bool) -> tuple[date, date]:
    if is_week:
        return day - timedelta(days=7), day + timedelta(days=7)
    first = day.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=32)).replace(day=1)


def _title(day: date, *, is_week: bool) -> str:
    if not is_week:
        return str(format_date(day, _("LLLL yyyy"), locale=language())).capitalize()
    days = week_of(day)
    first, last = (format_date(each, _("d MMM yyyy"), locale=language()) for each in (days[0], days[-1]))
    return f"{first} – {last}"


def _show(day: date, is_week: bool) -> None:
    st.query_params.from_dict({"view": "week" if is_week else "month", "day": day.isoformat()})


def _change_view(day: date) -> None:
    _show(day, st.session_state["calendar_view"] == "week")


draw_page()
