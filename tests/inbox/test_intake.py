"""The writer thread: nothing is answered before its commit, nothing waiting is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from sqlalchemy.exc import OperationalError

from core.inbox import intake, processing, queries
from core.inbox.intake import Intake, IntakeRequest, IntakeResult
from core.inbox.rules import BATCH_EVENTS
from tests.inbox.platform import read, said

PATIENCE = 10.0  # seconds a test waits for a thread before it fails; never a pause


@dataclass
class Owner:
    """Plays the server and the database: remembers what was stored and answered, and fails on demand."""

    stored: list[str] = field(default_factory=list)
    answers: dict[str, IntakeResult] = field(default_factory=dict)
    applied: list[int] = field(default_factory=list)
    backlog: int = 0
    failing: Exception | None = None
    poison: str = ""
    failing_apply: Exception | None = None
    failing_idle: Exception | None = None
    idle_times: int = 0
    may_store: threading.Event = field(default_factory=threading.Event)
    storing: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def new_intake(self, **more: int) -> Intake[str]:
        return Intake(self.answer, lambda events, new: None, lambda applied: None, self.idle, **more)

    def store(self, events) -> int:
        self.storing.set()
        assert self.may_store.wait(PATIENCE)
        if self.failing:
            raise self.failing
        keys = [event.dedupe_key for event in events]
        if self.poison in keys:
            raise ValueError("cannot be stored")
        self.stored += keys
        self.backlog += len(keys)
        return len(keys)

    def apply(self, limit: int, now: datetime) -> int:
        if self.failing_apply:
            failing, self.failing_apply = self.failing_apply, None
            raise failing
        count = min(limit, self.backlog)
        self.backlog -= count
        with self.changed:
            self.applied.append(count)
            self.changed.notify_all()
        return count

    def idle(self) -> None:
        with self.changed:
            self.idle_times += 1
            self.changed.notify_all()
        if self.failing_idle:
            raise self.failing_idle

    def answer(self, requests, outcome) -> None:
        assert outcome is not IntakeResult.STORED or all(
            e.dedupe_key in self.stored for r in requests for e in r.events
        )
        with self.changed:
            self.answers.update({each.answer_to: outcome for each in requests})
            self.changed.notify_all()

    def wait_for(self, condition) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE)


@pytest.fixture
def owner(monkeypatch) -> Owner:
    owner = Owner()
    owner.may_store.set()
    monkeypatch.setattr(processing, "store_events", owner.store)
    monkeypatch.setattr(processing, "apply_batch", owner.apply)
    monkeypatch.setattr(queries, "has_pending", lambda: owner.backlog > 0)
    return owner


@pytest.fixture
def started(owner, fresh_database) -> Iterator[Intake]:
    made = owner.new_intake(queue_events=10)
    made.start()
    yield made
    owner.may_store.set()
    made.close(PATIENCE)
    assert not made.is_alive


@pytest.fixture
def make_request(now):
    def _make(name: str, events: int = 1) -> IntakeRequest[str]:
        said_events = [said("25", now, "hi", f"m_{name}_{n}") for n in range(events)]
        return IntakeRequest(read(*said_events, received_at=now), name)

    return _make


def test_what_is_stored_is_answered_and_applied(started, owner, make_request):
    assert started.submit(make_request("a", events=3))

    owner.wait_for(lambda: sum(owner.applied) == 3)
    assert owner.answers == {"a": IntakeResult.STORED}


def test_what_waits_during_a_commit_becomes_one_group(started, owner, make_request):
    owner.may_store.clear()
    started.submit(make_request("first"))
    assert owner.storing.wait(PATIENCE)
    for name in "abc":
        assert started.submit(make_request(name))
    assert owner.answers == {}

    owner.may_store.set()
    owner.wait_for(lambda: len(owner.answers) == 4)
    assert set(owner.answers.values()) == {IntakeResult.STORED}


def test_a_full_queue_takes_no_more_and_recovers(started, owner, make_request):
    owner.may_store.clear()
    started.submit(make_request("first"))
    assert owner.storing.wait(PATIENCE)
    assert started.submit(make_request("a", events=6))
    assert not started.submit(make_request("b", events=6))
    assert started.events_waiting == 6

    owner.may_store.set()
    owner.wait_for(lambda: "a" in owner.answers)
    assert started.submit(make_request("b", events=6))


def test_a_body_larger_than_the_queue_still_fits_into_an_empty_one(started, owner, make_request):
    assert started.submit(make_request("huge", events=50))

    owner.wait_for(lambda: owner.answers == {"huge": IntakeResult.STORED})


def test_a_locked_database_is_said_so_and_the_writer_goes_on(started, owner, make_request):
    owner.failing = OperationalError("INSERT", {}, Exception("database is locked"))
    started.submit(make_request("a"))
    owner.wait_for(lambda: owner.answers == {"a": IntakeResult.UNAVAILABLE})

    owner.failing = None
    started.submit(make_request("b"))
    owner.wait_for(lambda: owner.answers.get("b") is IntakeResult.STORED)


def test_one_request_that_cannot_be_stored_does_not_drag_its_group_along(started, owner, make_request):
    bad = make_request("bad")
    owner.poison = bad.events[0].dedupe_key
    owner.may_store.clear()
    started.submit(make_request("first"))
    assert owner.storing.wait(PATIENCE)
    for one in (make_request("a"), bad, make_request("c")):
        started.submit(one)

    owner.may_store.set()
    owner.wait_for(lambda: len(owner.answers) == 4)
    assert owner.answers.pop("bad") is IntakeResult.NOT_STORABLE
    assert set(owner.answers.values()) == {IntakeResult.STORED}


def test_a_backlog_left_by_an_earlier_process_is_worked_off_in_turns(owner, fresh_database, monkeypatch):
    monkeypatch.setattr(intake, "next_batch_size", lambda events, took_seconds: 10)
    owner.backlog = BATCH_EVENTS + 25
    made = owner.new_intake()
    made.start()

    owner.wait_for(lambda: sum(owner.applied) == BATCH_EVENTS + 25)
    made.close(PATIENCE)
    assert owner.applied[:4] == [BATCH_EVENTS, 10, 10, 5]


def test_a_failed_turn_is_tried_again_and_stops_no_storing(started, owner, make_request, monkeypatch):
    monkeypatch.setattr(intake, "REST_SECONDS", 0.0)
    owner.failing_apply = RuntimeError("a bug")
    started.submit(make_request("a"))
    owner.wait_for(lambda: sum(owner.applied) == 1)
    assert owner.answers == {"a": IntakeResult.STORED}


def test_what_fails_for_good_beside_them_keeps_no_event_from_being_stored_and_applied(
    owner, fresh_database, make_request, monkeypatch
):
    monkeypatch.setattr(intake, "REST_SECONDS", 10 * PATIENCE)  # a rest would not be over before the test is
    owner.failing_idle = OSError("no space left on device")
    started = owner.new_intake()
    started.start()
    owner.wait_for(lambda: owner.idle_times > 0)
    for number, name in enumerate("abc", start=1):
        assert started.submit(make_request(name))
        owner.wait_for(lambda number=number: sum(owner.applied) == number)

    assert set(owner.answers.values()) == {IntakeResult.STORED}
    started.close(PATIENCE)
    assert not started.is_alive


def test_closing_stores_what_waits_and_takes_no_more(owner, make_request):
    made = owner.new_intake()
    made.start()
    owner.may_store.clear()
    for name in "abc":
        made.submit(make_request(name))
    closing = threading.Thread(target=made.close, args=(PATIENCE,))
    closing.start()
    owner.may_store.set()
    closing.join(PATIENCE)

    assert set(owner.answers) == {"a", "b", "c"}
    assert not made.submit(make_request("late"))
