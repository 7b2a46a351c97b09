"""What is wrong with one fanpage keeps no other from sending, and it goes on when that is put right."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlmodel import col, update
from structlog.testing import capture_logs

from core.broadcasts.launch_rules import LaunchRules
from core.db.engine import engine, transaction
from core.db.tables import Fanpage, FanpageRate
from core.deliveries import recent_outcomes
from core.deliveries.breaker import Refusal
from core.deliveries.recent_outcomes import Scope
from core.sending import claiming
from core.sending import loop as sending_loop
from core.sending.calls import under_way
from core.sending.calls.grouping import Call, PlannedMessage
from core.sending.claiming import ClaimedBatch, ClaimRequest
from core.sending.limits import breaker_trip, fanpage_limits
from core.sending.limits.fanpage_limits import UsageWatch
from core.sending.replies.claims import ReplyClaim
from tests.databases import TestDatabase
from tests.sending.test_many_fanpages import NUMBERS, PEOPLE, Street, street
from tests.sending.turn_loop import turn_until

__all__ = ["street"]  # a fixture


@contextmanager
def waits() -> Iterator[list[str]]:
    """How long transactions of PostgreSQL wait for a lock at most, as they say so."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if found := re.match(r"SET LOCAL lock_timeout = '(\w+)'", statement):
            said.append(found[1])

    event.listen(engine(), "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(engine(), "before_cursor_execute", hear)


def write(fanpage_id: int, **values: object) -> None:
    """By hand, past whatever checks it."""
    with transaction() as db:
        db.execute(update(Fanpage).where(col(Fanpage.id) == fanpage_id).values(**values))


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ({"rate": 0}, {"rate": 300}, "fanpage_unreadable"),
        ({"launch_rules": '{"curfew": N}'}, {"launch_rules": None}, "launch_rules_unreadable"),
        ({"launch_rules": '["N"]'}, {"launch_rules": None}, "launch_rules_unreadable"),
        ({"timezone": "Asia/N"}, {"timezone": "UTC"}, "launch_rules_unreadable"),
    ],
)
def test_a_fanpage_that_cannot_be_read_waits_and_the_others_send(
    street: Street, wrong: dict[str, object], right: dict[str, object], said: str
) -> None:
    broadcasts, unlucky = street.launch(), street[1].fanpage_id
    number = str(next(NUMBERS))  # what was said of another test's is not said again
    write(unlucky, launch_rules=LaunchRules(quiet_from="03:00", quiet_to="03:01").as_text())
    write(unlucky, **{name: str(value).replace("N", number) for name, value in wrong.items()})
    loop = street.loop()
    with capture_logs() as logs:
        turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE, 0, PEOPLE, PEOPLE])
        for _ in range(3):
            loop.look_again()
            loop.turn()
    assert [each["fanpage_id"] for each in logs if each["event"] == said] == [unlucky]
    assert not [each for each in logs if each["event"] in ("turn_failed", "claim_failed")]
    write(unlucky, **right)
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


def test_what_was_claimed_but_cannot_be_planned_comes_back_with_what_gave_way_and_leaves_later(
    street: Street, monkeypatch: pytest.MonkeyPatch, fresh_database: TestDatabase
) -> None:
    broadcasts, unlucky = street.launch(), street[1].fanpage_id
    write(unlucky, rate=40)  # for most of a second its messages wait, and give way to a reply
    loop, own, failures = street.loop(), under_way.grouped, list[int]()

    def grouped(leaving: Sequence[PlannedMessage], **more: object) -> list[tuple[float, Call]]:
        if len(failures) < 9 and any(
            isinstance(each.claim, ReplyClaim) and each.claim.fanpage_id == unlucky for each in leaving
        ):
            failures.append(len(leaving))
            raise RuntimeError("a defect")
        return own(leaving, **more)

    monkeypatch.setattr(under_way, "grouped", grouped)
    monkeypatch.setattr(sending_loop, "ASIDE_SECONDS", 0.0)
    loop.turn()
    for studio in street.studios:
        studio.reply()
    loop.look_again()
    turn_until(loop, lambda: all(len(each.platform.to_psids) == 1 for each in street.studios))
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)
    assert len(failures) == 9
    assert set(loop.planner.unanswered.values()) == {0}
    assert len(loop.calls) == 0
    assert fresh_database.rows("SELECT DISTINCT tries, in_doubt FROM delivery") == [(0, False)]


class Claims:
    """Which fanpages each claim was for; a claim with one of `at_fault` fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[list[int]] = []
        self.at_fault: set[int] = set()
        self.before: list[Callable[[], None]] = []  # done once
        self._own = claiming.claim
        monkeypatch.setattr(claiming, "claim", self._claim)

    def _claim(self, requests: Sequence[ClaimRequest], **more: Any) -> list[ClaimedBatch]:
        self.seen.append([each.fanpage_id for each in requests])
        while self.before:
            self.before.pop()()
        if self.at_fault.intersection(self.seen[-1]):
            raise RuntimeError("a defect")
        return self._own(requests, **more)


def test_a_fanpage_at_which_a_claim_fails_is_found_by_halves_and_put_aside(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending_loop, "HALVING_SECONDS", 3600.0)
    claims = Claims(monkeypatch)
    broadcasts, unlucky = street.launch(), street[1].fanpage_id
    first, _, third, fourth = (each.fanpage_id for each in street.studios)
    claims.at_fault = {unlucky}
    loop = street.loop()
    loop.turn()
    assert claims.seen == [
        [first, unlucky, third, fourth],
        [first, unlucky],
        [first],
        [unlucky],
        [third, fourth],
    ]
    claims.seen.clear()
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE, 0, PEOPLE, PEOPLE])
    monkeypatch.setattr(sending_loop, "ASIDE_SECONDS", 0.0)
    turn_until(loop, lambda: [unlucky] in claims.seen)  # by itself, when a second is over
    assert all(unlucky not in each or each == [unlucky] for each in claims.seen)
    claims.at_fault = set()
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


def test_when_time_is_up_the_rest_is_claimed_the_next_time(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a lock concerns all of them: each claim waits for it, and what came back waits with them."""
    claims = Claims(monkeypatch)
    broadcasts, everybody = street.launch(), [each.fanpage_id for each in street.studios]
    claims.at_fault = set(everybody)
    loop = street.loop()
    monkeypatch.setattr(sending_loop, "HALVING_SECONDS", 0.0)
    for _ in range(2):
        loop.look_again()
        loop.turn()
    assert claims.seen == [everybody] * 2
    claims.at_fault = set()
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


def test_who_is_told_to_stop_tries_no_smaller_claims(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = Claims(monkeypatch)
    street.launch()
    loop = street.loop()
    claims.at_fault = {each.fanpage_id for each in street.studios}
    claims.before.append(loop.stop.set)
    loop.turn()
    assert len(claims.seen) == 1


def test_without_room_a_fanpage_stays_aside(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = Claims(monkeypatch)
    broadcasts, unlucky = street.launch(), street[1].fanpage_id
    claims.at_fault = {unlucky}
    monkeypatch.setattr(sending_loop, "ASIDE_SECONDS", 0.0)
    monkeypatch.setattr(sending_loop, "CLAIM_AT_MOST", 1)
    loop = street.loop()
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE, 0, PEOPLE, PEOPLE])
    asked = [each for each in claims.seen if unlucky in each]
    assert asked[1:] == [[unlucky]] * (len(asked) - 1)
    claims.at_fault = set()
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


@pytest.mark.sqlite  # PostgreSQL takes nothing else for JSON
def test_a_content_that_is_no_json_keeps_back_its_own_broadcast_only(
    street: Street, fresh_database: TestDatabase
) -> None:
    broadcasts = street.launch()
    ((content,),) = fresh_database.rows(f"SELECT content FROM broadcast WHERE id = {broadcasts[1]}")
    fresh_database.run(f"UPDATE broadcast SET content = '{{' WHERE id = {broadcasts[1]}")
    loop, others = street.loop(), [each for each in broadcasts if each != broadcasts[1]]
    sent = "SELECT broadcast_id, count(*) FROM delivery WHERE state = 'sent' GROUP BY 1 ORDER BY 1"
    turn_until(loop, lambda: fresh_database.rows(sent) == [(each, PEOPLE) for each in others])
    fresh_database.run(f"UPDATE broadcast SET content = '{content}' WHERE id = {broadcasts[1]}")
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


def test_a_fanpage_whose_claim_cannot_be_planned_keeps_no_other_from_sending(street: Street) -> None:
    broadcasts, unlucky = street.launch(), street[2].fanpage_id
    connections, faults = street.connections, [True]

    def find(ids: Collection[int]) -> dict[int, object]:
        if unlucky in ids and faults:
            raise RuntimeError("a defect")
        return {each: connections[each] for each in ids}

    loop = street[0].loop(find_connections=find)
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE, PEOPLE, 0, PEOPLE])
    faults.clear()
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


def test_where_another_process_has_moved_a_row_only_that_fanpage_waits_for_the_next_look(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = Claims(monkeypatch)
    broadcasts, moved = street.launch(), street[1].fanpage_id
    others = [each.fanpage_id for each in street.studios if each.fanpage_id != moved]

    def move() -> None:
        with transaction() as db:
            db.get_one(FanpageRate, moved).next_free += 0.1

    claims.before.append(move)
    loop = street.loop()
    loop.turn()
    assert claims.seen == [sorted([moved, *others]), others]
    loop.turn()  # which looks anew
    assert moved in claims.seen[2]
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


@pytest.mark.postgresql
def test_a_rate_row_that_somebody_keeps_locked_lets_only_its_fanpage_wait(
    street: Street, fresh_database: TestDatabase
) -> None:
    broadcasts, unlucky = street.launch(), street[1].fanpage_id
    loop = street.loop()
    with psycopg.connect(fresh_database.url.replace("+psycopg", "")) as holder:
        holder.execute("SELECT 1 FROM pace WHERE fanpage_id = %s FOR UPDATE", [unlucky])
        with waits() as waited:
            turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE, 0, PEOPLE, PEOPLE])
        assert claiming.PATIENCE in waited
        holder.rollback()
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)
    assert fresh_database.rows("SELECT DISTINCT tries, in_doubt FROM delivery") == [(0, False)]


@pytest.mark.postgresql
def test_a_usage_header_is_heeded_later_when_the_rate_row_is_locked(
    street: Street, fresh_database: TestDatabase
) -> None:
    fanpage_id, now = street[0].fanpage_id, street[0].now
    watch = UsageWatch(lambda: now)
    connection = SimpleNamespace(usage=lambda: SimpleNamespace(percent=99.0, regain_seconds=0, seen_at=1.0))
    with psycopg.connect(fresh_database.url.replace("+psycopg", "")) as holder:
        holder.execute("SELECT 1 FROM pace WHERE fanpage_id = %s FOR UPDATE", [fanpage_id])
        with waits() as waited:
            watch.heed(fanpage_id, connection)
        assert waited == [fanpage_limits.PATIENCE_OF_ALL]
        holder.rollback()
    watch.heed(fanpage_id, connection)
    watch.heed(fanpage_id, connection)
    assert fresh_database.rows("SELECT factor FROM pace WHERE fanpage_id = " + str(fanpage_id)) == [(0.5,)]


@pytest.mark.postgresql
def test_what_is_made_good_after_a_stop_is_not_waited_for_long(
    street: Street, fresh_database: TestDatabase
) -> None:
    studio, now = street[0], street[0].now
    customer_id = studio.arrange.customer(studio.fanpage_id)
    refused = [Refusal(0, "blocked", 0, 0, customer_id)]
    with transaction() as db:
        recent_outcomes.note(db, {(Scope.FANPAGE, studio.fanpage_id): refused})
    with psycopg.connect(fresh_database.url.replace("+psycopg", "")) as holder:
        holder.execute("SELECT 1 FROM customer WHERE id = %s FOR UPDATE", [customer_id])
        with waits() as waited:
            breaker_trip.judge_fanpages({}, stopped={studio.fanpage_id}, now=now)
        assert waited == [breaker_trip.PATIENCE_OF_A_STOP]
        holder.rollback()
