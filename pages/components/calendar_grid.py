"""A grid of days with what stands on each: the calendar, and the strip of the overview.

It is a table, so that a reader hears the day of each entry; on a phone the empty days are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st
from babel.dates import format_date, format_time

from core.broadcasts.calendar_queries import CalendarEntry
from core.broadcasts.holidays import holidays_between
from core.broadcasts.rules import BroadcastState
from pages.components.texts import _, language, n_, state_label

WEEK = 7
MOVABLE = (BroadcastState.SCHEDULED, BroadcastState.MISSED)


@dataclass(frozen=True)
class Grid:
    """What a grid shows, and how."""

    days: Sequence[date]  # whole rows of seven
    entries: Mapping[date, Sequence[CalendarEntry]]
    zone: str
    today: date
    month: int | None = None  # days of other months are quiet
    most: int = 4  # entries of a day; the rest is a link to its week
    may_move: bool = False
    shows_topics: bool = False


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=place) for place in range(count)]


def month_of(day: date) -> list[date]:
    """The whole weeks, from Monday to Sunday, that hold the day's month."""
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    start = first - timedelta(days=first.weekday())
    weeks = -(-(following - start).days // WEEK)
    return days_from(start, weeks * WEEK)


def week_of(day: date) -> list[date]:
    return days_from(day - timedelta(days=day.weekday()), WEEK)


def by_day(entries: Iterable[CalendarEntry], zone: str) -> dict[date, list[CalendarEntry]]:
    """Entries by their day on the fanpage's clock."""
    found: dict[date, list[CalendarEntry]] = {}
    for entry in entries:
        found.setdefault(entry.at.astimezone(ZoneInfo(zone)).date(), []).append(entry)
    return found


def draw_grid(grid: Grid, *, key: str) -> None:
    known = holidays_between(grid.days[0], grid.days[-1], language())
    with st.container(key=f"{key}_grid"):
        st.html(grid_html(grid, known))


def grid_html(grid: Grid, holidays: Mapping[date, str]) -> str:
    """The grid as HTML; everything said in it is escaped."""
    heads = "".join(
        f'<th scope="col"><abbr title="{escape(_date(day, "EEEE"))}">{escape(_date(day, "EEE"))}</abbr></th>'
        for day in grid.days[:WEEK]
    )
    rows = [grid.days[place : place + WEEK] for place in range(0, len(grid.days), WEEK)]
    body = "".join(f"<tr>{''.join(_day(grid, day, holidays.get(day)) for day in row)}</tr>" for row in rows)
    return f'<table class="otn-cal"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _day(grid: Grid, day: date, holiday: str | None) -> str:
    entries = grid.entries.get(day, ())
    looks = [
        "otn-today" if day == grid.today else "",
        "otn-other" if grid.month not in (None, day.month) else "",
        "otn-past" if day < grid.today else "",
        "otn-free" if holiday else "",
        "" if entries else "otn-none",
    ]
    named = _date(day, _("d MMM") if day.day == 1 or day == grid.days[0] else "d")
    current = ' aria-current="date"' if day == grid.today else ""
    spoken = f'<span class="otn-said">{escape(_date(day, _("EEEE, d MMMM")))}</span>'
    head = f'<div class="otn-day"><span aria-hidden="true">{escape(named)}</span>{spoken}</div>'
    free = f'<div class="otn-holiday">{escape(holiday)}</div>' if holiday else ""
    shown = "".join(_entry(grid, entry) for entry in entries[: grid.most])
    if (more := len(entries) - grid.most) > 0:
        words = escape(n_("{n} more", "{n} more", more))
        shown += f'<a class="otn-more" href="calendar?view=week&day={day}" target="_self">{words}</a>'
    return f'<td class="{" ".join(filter(None, looks))}"{current}>{head}{free}{shown}</td>'


def _entry(grid: Grid, entry: CalendarEntry) -> str:
    word, icon, colour = state_label("broadcast", entry.state)
    at = format_time(entry.at.astimezone(ZoneInfo(grid.zone)), "HH:mm", locale=language())
    title = escape(f"{at} · {entry.name} · {entry.topic} · {word}")
    topic = f'<span class="otn-quiet">{escape(entry.topic)}</span>' if grid.shows_topics else ""
    move = ""
    if grid.may_move and entry.state in MOVABLE:
        label = escape(_("Move “{name}”", name=entry.name))
        move = (
            f'<a class="otn-move" href="calendar?move={entry.id}" target="_self" title="{label}" '
            f'aria-label="{label}"><span class="otn-icon" aria-hidden="true">edit_calendar</span></a>'
        )
    return (
        f'<div class="otn-entry otn-{colour}">'
        f'<a href="broadcast?id={entry.id}" target="_self" title="{title}">'
        f'<span class="otn-icon" aria-hidden="true">{icon}</span><b>{escape(str(at))}</b> '
        f'<span class="otn-name">{escape(entry.name)}</span>{topic}</a>{move}</div>'
    )


def _date(day: date, pattern: str) -> str:
    return str(format_date(day, pattern, locale=language()))


def local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
