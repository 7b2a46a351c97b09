"""The calendar shows what goes out when, on the fanpage's clock, and moves what is scheduled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.broadcasts.calendar_queries import CalendarEntry
from core.broadcasts.queries import get_broadcast
from core.clock import utc_now
from pages.components.calendar_grid import Grid, by_day, grid_html, month_of, week_of
from tests.pages.broadcasts import a_draft, put
from tests.pages.shown import all_words, html, keys

ZONE = "Asia/Ho_Chi_Minh"


def scheduled(topic_id: int, at: datetime) -> int:
    broadcast_id = a_draft(topic_id)
    actions.schedule(COMMAND_LINE, broadcast_id, at=at, now=utc_now())
    return broadcast_id


def in_days(days: int, hour: int = 9) -> datetime:
    local = (utc_now().astimezone(ZoneInfo(ZONE)) + timedelta(days=days)).replace(
        hour=hour, minute=0, second=0, microsecond=0
    )
    return local.astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "first", "count"),
    [
        (date(2026, 11, 30), date(2026, 10, 26), 42),
        (date(2027, 2, 6), date(2027, 2, 1), 28),
        (date(2028, 2, 29), date(2028, 1, 31), 35),
        (date(2026, 12, 31), date(2026, 11, 30), 35),
    ],
)
def test_a_month_is_shown_in_whole_weeks_from_monday(day: date, first: date, count: int) -> None:
    days = month_of(day)
    assert (days[0], len(days)) == (first, count)
    assert days[0].weekday() == 0
    assert {day, day.replace(day=1)} <= set(days)


def test_an_entry_stands_on_its_day_in_the_zone(fresh_database) -> None:
    late = datetime(2026, 12, 1, 18, 30, tzinfo=UTC)
    entry = CalendarEntry(3, "Flash <sale>", 1, "KM", "scheduled", late, None, 1)
    grid = Grid(week_of(date(2026, 12, 2)), by_day([entry], ZONE), ZONE, date(2026, 12, 1), may_move=True)
    made = grid_html(grid, {date(2026, 12, 2): "Tết"})
    cell = made.split("<td")[3]
    assert "01:30" in cell
    assert "Flash &lt;sale&gt;" in cell
    assert 'href="broadcast?id=3"' in cell
    assert 'href="calendar?move=3"' in cell
    assert "Tết" in cell
    assert made.count("otn-entry") == 1


def test_what_does_not_fit_leads_to_its_week(fresh_database) -> None:
    at = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
    entries = [CalendarEntry(n, f"B{n}", 1, "KM", "finished", at, None, 1) for n in range(6)]
    days = week_of(date(2026, 12, 1))
    made = grid_html(Grid(days, by_day(entries, ZONE), ZONE, days[0], most=4, may_move=True), {})
    assert 'href="calendar?view=week&day=2026-12-01"' in made
    assert "calendar?move" not in made  # what has been sent can't be moved


def test_the_calendar_opens_broadcasts_and_offers_to_move_them(panel, topic_id) -> None:
    broadcast_id = scheduled(topic_id, in_days(2))
    day = in_days(2).astimezone(ZoneInfo(ZONE)).date()
    seen = html(panel("calendar", role="viewer", view="week", day=day))
    assert f"broadcast?id={broadcast_id}" in seen
    assert "09:00" in seen
    assert "calendar?move" not in seen  # a viewer moves nothing
    assert f"calendar?move={broadcast_id}" in html(panel("calendar", role="sender", day=day))
    assert f"calendar?move={broadcast_id}" in html(panel("overview", role="sender"))


def test_a_broadcast_is_moved_with_its_best_before(panel, topic_id) -> None:
    start = in_days(2)
    broadcast_id = scheduled(topic_id, start)
    was = get_broadcast(broadcast_id)
    at = panel("calendar", role="sender", move=broadcast_id)
    assert not at.exception
    local = in_days(5, 14).astimezone(ZoneInfo(ZONE))
    at.date_input(key=f"move_day_{broadcast_id}").set_value(local.date())
    at.time_input(key=f"move_time_{broadcast_id}").set_value(local.time())
    at.run()
    at.button(key="move_confirm").click().run()
    assert not at.exception
    moved = get_broadcast(broadcast_id)
    assert (moved.state, moved.due_at) == ("scheduled", in_days(5, 14))
    assert moved.best_before - moved.due_at == was.best_before - was.due_at
    assert moved.approved_version == moved.version
    assert "move_confirm" not in keys(at.button)


def test_one_that_was_changed_meanwhile_is_not_moved_unseen(panel, topic_id) -> None:
    broadcast_id = scheduled(topic_id, in_days(2))
    at = panel("calendar", role="sender", move=broadcast_id)
    local = in_days(5, 14).astimezone(ZoneInfo(ZONE))
    at.date_input(key=f"move_day_{broadcast_id}").set_value(local.date()).run()
    put(broadcast_id, state="sending", started_at=utc_now())
    at.button(key="move_confirm").click().run()
    assert not at.exception
    assert get_broadcast(broadcast_id).due_at == in_days(2)


def test_what_cannot_be_moved_says_so(panel, topic_id) -> None:
    at = panel("calendar", role="sender", move=a_draft(topic_id))
    assert not at.exception
    assert "move_confirm" not in keys(at.button)
    assert "can't be moved" in "".join(each.value for each in at.toast)


def test_another_broadcast_on_the_topic_is_named_before_the_move(panel, topic_id) -> None:
    scheduled(topic_id, in_days(1))
    at = panel("calendar", role="sender", move=scheduled(topic_id, in_days(2)))
    assert "uses the opt-ins first" in all_words(at)


def test_an_odd_address_shows_today(panel, topic_id) -> None:
    at = panel("calendar", day="gestern", view="year", move="-1")
    assert not at.exception
    assert 'aria-current="date"' in html(at)


def test_the_way_to_other_months(panel, topic_id) -> None:
    at = panel("calendar", day="2026-12-31")
    assert "December 2026" in all_words(at)
    at.button(key="calendar_after").click().run()
    assert "January 2027" in all_words(at)
    at.button(key="calendar_before").click().run()
    at.button(key="calendar_before").click().run()
    assert "November 2026" in all_words(at)
