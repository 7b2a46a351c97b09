"""Another time zone: what is planned keeps its moment or its local time, and somebody has said which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.accounts.queries import ActivityFilter, list_activity
from core.accounts.rules import COMMAND_LINE
from core.clock import same_local_time
from core.db.engine import reading
from core.db.tables import Broadcast
from core.errors import Invalid, NotFound, WrongState
from core.fanpages import actions, time_zone
from core.fanpages.queries import get_fanpage
from core.fanpages.time_zone import ZoneChangeKeeps

HANOI, TOKYO, BERLIN = "Asia/Ho_Chi_Minh", "Asia/Tokyo", "Europe/Berlin"
NINE_IN_HANOI = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
NINE_IN_BERLIN = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NOON_IN_BERLIN = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
NOON_IN_HANOI = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


@pytest.fixture
def fanpage(arrange) -> int:
    return arrange.fanpage(page_id="100200")


@pytest.fixture
def plan(arrange, fanpage):
    topic_id = arrange.topic(fanpage)

    def made(state: str = "scheduled", due_at: datetime | None = NINE_IN_HANOI, name: str = "Tết") -> int:
        times = {"due_at": due_at, "best_before": NOON_IN_HANOI}
        values = {"content": {}, "created_at": arrange.now, "updated_at": arrange.now, **times}
        row = Broadcast(fanpage_id=fanpage, topic_id=topic_id, name=name, state=state, **values)
        return arrange.save(row)

    return made


def times(broadcast_id: int) -> tuple[datetime | None, datetime | None]:
    with reading() as db:
        row = db.get(Broadcast, broadcast_id)
        return row.due_at, row.best_before


def change(fanpage: int, now: datetime, zone: str = BERLIN, keep: ZoneChangeKeeps | None = None):
    return time_zone.change_zone(COMMAND_LINE, fanpage, zone, keep=keep, now=now)


def test_nobody_guesses_what_a_planned_broadcast_keeps(fanpage, plan, now):
    broadcast_id = plan()
    with pytest.raises(WrongState, match=r"“Tết”.*--keep"):
        change(fanpage, now)
    assert get_fanpage(fanpage).timezone == HANOI
    assert times(broadcast_id) == (NINE_IN_HANOI, NOON_IN_HANOI)


@pytest.mark.parametrize(
    ("keep", "after"),
    [
        (ZoneChangeKeeps.MOMENT, (NINE_IN_HANOI, NOON_IN_HANOI)),
        (ZoneChangeKeeps.LOCAL_TIME, (NINE_IN_BERLIN, NOON_IN_BERLIN)),
    ],
)
def test_it_keeps_the_moment_or_the_local_time(fanpage, plan, now, keep, after):
    planned = [plan(), plan("draft")]
    assert change(fanpage, now, keep=keep).timezone == BERLIN
    assert [times(each) for each in planned] == [after, after]
    [entry] = list_activity(ActivityFilter())
    assert (entry.verb, entry.detail) == (
        "fanpage.set_zone",
        {"zone": BERLIN, "was": HANOI, "kept": keep.value, "planned": 2},
    )


@pytest.mark.parametrize(("state", "approved"), [("scheduled", (2, "command line")), ("draft", (None, ""))])
def test_a_moved_one_is_a_new_version_which_who_moves_it_approves(fanpage, plan, now, state, approved):
    broadcast_id = plan(state)
    change(fanpage, now, keep=ZoneChangeKeeps.LOCAL_TIME)
    with reading() as db:
        row = db.get(Broadcast, broadcast_id)
    assert (row.version, (row.approved_version, row.approved_by)) == (2, approved)


def test_both_times_are_shown_before(fanpage, plan, now):
    plan("sending")
    plan("draft", due_at=None)
    scheduled = plan()
    [shown] = time_zone.list_planned(fanpage, BERLIN)
    assert (shown.id, shown.due_at, shown.moved_due_at) == (scheduled, NINE_IN_HANOI, NINE_IN_BERLIN)
    assert (shown.best_before, shown.moved_best_before) == (NOON_IN_HANOI, NOON_IN_BERLIN)


def test_what_has_begun_or_ended_asks_nothing_and_is_not_moved(fanpage, plan, now):
    others = [plan(state) for state in ("sending", "paused", "finished", "cancelled", "missed")]
    others.append(plan("draft", due_at=None))
    before = [times(each) for each in others]
    assert change(fanpage, now, keep=None).timezone == BERLIN
    assert [times(each) for each in others] == before


def test_the_same_zone_again_changes_and_records_nothing(fanpage, plan, now):
    plan()
    change(fanpage, now, HANOI)
    assert list_activity(ActivityFilter()) == []


def test_a_local_time_that_is_over_in_the_other_zone_starts_nothing_by_surprise(fanpage, plan, now):
    """Nine in Tokyo is two hours before nine in Hanoi."""
    soon = plan(due_at=now + timedelta(hours=1))
    before = times(soon)
    with pytest.raises(WrongState, match="already have started"):
        change(fanpage, now, TOKYO, ZoneChangeKeeps.LOCAL_TIME)
    assert (times(soon), get_fanpage(fanpage).timezone) == (before, HANOI)
    change(fanpage, now, TOKYO, ZoneChangeKeeps.MOMENT)
    assert times(soon) == before


def test_a_zone_that_is_none_and_a_fanpage_that_is_gone(fanpage, now):
    with pytest.raises(Invalid, match="There is no time zone"):
        change(fanpage, now, "Asia/Saigon City")
    with pytest.raises(NotFound):
        change(404, now)


def test_connecting_again_does_not_change_the_zone_behind_what_is_planned(fanpage, plan, now):
    plan()
    again = {"page_id": "100200", "name": "Hoa", "token": "EAAB", "check": False, "now": now}
    with pytest.raises(WrongState, match=r"“Tết”.*fanpage zone"):
        actions.connect(COMMAND_LINE, **again, zone=BERLIN)
    assert get_fanpage(fanpage).timezone == HANOI
    assert actions.connect(COMMAND_LINE, **again, zone=HANOI).timezone == HANOI
    assert actions.connect(COMMAND_LINE, **again).timezone == HANOI


def test_a_local_time_that_a_clock_change_skips_becomes_the_next_real_one():
    """Half past two in Hanoi; in Berlin the clock goes from two to three that night."""
    skipped = datetime(2026, 3, 28, 19, 30, tzinfo=UTC)
    assert same_local_time(skipped, HANOI, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
