"""Quiet hours, days off, the second person: what a fanpage asks of every launch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, update

from core.accounts.actions import add_operator
from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import actions, revisions, scheduled_jobs
from core.broadcasts.drafts import get_draft, keep_draft
from core.broadcasts.launch_rules import (
    FREE,
    LaunchRules,
    check_launch_rules,
    is_number_of,
    launch_rules_of,
)
from core.broadcasts.quiet_hours import quiet_until
from core.db.engine import transaction
from core.db.tables import Fanpage
from core.errors import Invalid, WrongState
from core.fanpages.launch_rule_actions import set_launch_rules
from core.sending.work_snapshot import fanpages_with_work
from tests.sending.conftest import Studio

ZONE = "Asia/Ho_Chi_Minh"  # UTC+7
NIGHT = LaunchRules(quiet_from="21:00", quiet_to="08:00")


def at(local: str) -> datetime:
    return datetime.fromisoformat(f"{local}+07:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("rules", "now", "until"),
    [
        (FREE, "2026-11-22T23:00", None),
        (NIGHT, "2026-11-22T20:59", None),
        (NIGHT, "2026-11-22T21:00", "2026-11-23T08:00"),
        (NIGHT, "2026-11-23T07:59", "2026-11-23T08:00"),
        (NIGHT, "2026-11-23T08:00", None),
        (LaunchRules(quiet_from="12:00", quiet_to="13:00"), "2026-11-22T12:30", "2026-11-22T13:00"),
        (LaunchRules(weekdays_off=(6,)), "2026-11-22T10:00", "2026-11-23T00:00"),  # a Sunday
        (replace(NIGHT, weekdays_off=(6,)), "2026-11-22T10:00", "2026-11-23T08:00"),
        (replace(NIGHT, days_off=("2026-11-23",)), "2026-11-22T22:00", "2026-11-24T08:00"),
    ],
)
def test_nothing_leaves_until_the_quiet_time_ends(rules: LaunchRules, now: str, until: str | None) -> None:
    assert quiet_until(rules, ZONE, at(now)) == (at(until) if until else None)
    assert launch_rules_of(rules.as_text()) == rules


@pytest.mark.parametrize(
    "rules",
    [
        LaunchRules(quiet_from="21:00"),
        LaunchRules(quiet_from="21:00", quiet_to="21:00"),
        LaunchRules(weekdays_off=tuple(range(7))),
        LaunchRules(count_typed_above=-1),
    ],
)
def test_rules_under_which_nothing_could_ever_be_sent_are_refused(rules: LaunchRules) -> None:
    assert check_launch_rules(rules)


def quiet_now(studio: Studio, **more: object) -> None:
    """Quiet from an hour ago until in an hour."""
    with transaction() as db:
        db.execute(update(Fanpage).where(col(Fanpage.id) == studio.fanpage_id).values(timezone="UTC"))
    hours = {
        "quiet_from": f"{studio.now - timedelta(hours=1):%H:%M}",
        "quiet_to": f"{studio.now + timedelta(hours=1):%H:%M}",
    }
    set_launch_rules(COMMAND_LINE, studio.fanpage_id, LaunchRules(**hours, **more), now=studio.now)


def test_what_is_due_in_quiet_hours_starts_after_them(studio: Studio) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    quiet_now(studio)
    actions.launch(COMMAND_LINE, broadcast_id, now=studio.now)
    assert scheduled_jobs.start_due(now=studio.now) == []
    assert studio.show(broadcast_id).state == "scheduled"
    studio.pass_time(hours=1)
    assert scheduled_jobs.start_due(now=studio.now) == [broadcast_id]


def test_rules_that_cannot_be_read_keep_only_their_own_fanpages_broadcasts_from_starting(
    studio: Studio,
) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    other = Studio(studio.arrange, studio.now, studio.call_threads)
    other.people(1)
    started = other.broadcast()
    for each in (broadcast_id, started):
        actions.schedule(COMMAND_LINE, each, at=None, now=studio.now)
    mine = col(Fanpage.id) == studio.fanpage_id
    with transaction() as db:
        db.execute(update(Fanpage).where(mine).values(launch_rules='{"curfew": 9}'))
    assert scheduled_jobs.start_due(now=studio.now) == [started]
    assert fanpages_with_work(now=studio.now) == [other.fanpage_id]
    with transaction() as db:
        db.execute(update(Fanpage).where(mine).values(launch_rules=None))
    assert scheduled_jobs.start_due(now=studio.now) == [broadcast_id]


def test_what_is_being_sent_waits_in_quiet_hours_and_goes_on_by_itself(studio: Studio) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    quiet_now(studio)
    assert fanpages_with_work(now=studio.now) == []  # no worker gets a slice for it meanwhile
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["sent"] == 0
    studio.pass_time(hours=1)
    assert fanpages_with_work(now=studio.now) == [studio.fanpage_id]
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["sent"] == 2


def sender(studio: Studio, name: str) -> Actor:
    made = add_operator(COMMAND_LINE, name, Role.SENDER, "correct-horse-battery", now=studio.now)
    return Actor(made.id, made.name, made.role, signed_in_at=studio.now)


def test_whoever_wrote_a_version_last_does_not_approve_it(studio: Studio) -> None:
    studio.people(1)
    minh, lan = sender(studio, "minh"), sender(studio, "lan")
    broadcast_id = studio.broadcast()
    set_launch_rules(COMMAND_LINE, studio.fanpage_id, LaunchRules(needs_second_person=True), now=studio.now)
    began = get_draft(broadcast_id)
    new = {"kind": "text", "text": "Lời mới", "fallback": ""}
    keep_draft(minh, replace(began, content=new), began=began, now=studio.now)
    with pytest.raises(WrongState):
        actions.launch(minh, broadcast_id, now=studio.now)
    assert actions.launch(lan, broadcast_id, now=studio.now) == "scheduled"


def test_changes_of_a_scheduled_broadcast_need_the_second_person_as_well(studio: Studio) -> None:
    studio.people(1)
    minh, lan = sender(studio, "minh"), sender(studio, "lan")
    broadcast_id = studio.broadcast()
    later = studio.now + timedelta(hours=2)
    actions.schedule(COMMAND_LINE, broadcast_id, at=later, now=studio.now)
    set_launch_rules(COMMAND_LINE, studio.fanpage_id, LaunchRules(needs_second_person=True), now=studio.now)
    draft_id = revisions.begin(minh, broadcast_id, now=studio.now)
    version = get_draft(draft_id).version
    with pytest.raises(WrongState):
        revisions.apply(minh, draft_id, version=version, now=studio.now)
    assert revisions.apply(lan, draft_id, version=version, now=studio.now) == broadcast_id


def test_above_the_set_number_a_launch_takes_the_number_of_people(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    set_launch_rules(COMMAND_LINE, studio.fanpage_id, LaunchRules(count_typed_above=3), now=studio.now)
    for typed in (None, 0, 2, 4):
        with pytest.raises(Invalid, match="3 people"):
            actions.launch(COMMAND_LINE, broadcast_id, typed_count=typed, now=studio.now)
    assert studio.show(broadcast_id).state == "draft"
    assert actions.launch(COMMAND_LINE, broadcast_id, typed_count=3, now=studio.now) == "scheduled"


def test_below_the_set_number_nothing_has_to_be_typed(studio: Studio) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    set_launch_rules(COMMAND_LINE, studio.fanpage_id, LaunchRules(count_typed_above=3), now=studio.now)
    assert actions.launch(COMMAND_LINE, broadcast_id, now=studio.now) == "scheduled"


def test_changes_of_a_scheduled_broadcast_take_the_number_as_well(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    actions.schedule(COMMAND_LINE, broadcast_id, at=studio.now + timedelta(hours=2), now=studio.now)
    set_launch_rules(COMMAND_LINE, studio.fanpage_id, LaunchRules(count_typed_above=1), now=studio.now)
    draft_id = revisions.begin(COMMAND_LINE, broadcast_id, now=studio.now)
    version = get_draft(draft_id).version
    with pytest.raises(Invalid):
        revisions.apply(COMMAND_LINE, draft_id, version=version, now=studio.now)
    assert revisions.apply(COMMAND_LINE, draft_id, version=version, typed_count=3, now=studio.now)


@pytest.mark.parametrize(
    ("people", "typed", "is_it"),
    [(99, 99, True), (99, 98, False), (4210, 4252, True), (4210, 4253, False), (4210, None, False)],
)
def test_a_hundredth_may_have_come_or_gone_since_it_was_shown(people: int, typed: int, is_it: bool) -> None:
    assert is_number_of(people, typed) is is_it
