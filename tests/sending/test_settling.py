"""What comes late or will not be stored: each outcome counts for itself, and none is dropped while it may be
kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, Answer
from core.sending import claims, loop, settling
from core.sending.limits import allowance, breaker_trip
from core.sending.settling import Outcome
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio

REFUSED = Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100)
PASSING = Failure(NextStep.RETRY_LATER, "temporary", 400, 2)
UNHEARD = Failure(NextStep.NOT_SENT, "not_connected")
STATE = "SELECT state, reason, evidence, tries, in_doubt FROM delivery"


def lost_claim(studio: Studio) -> tuple[int, claims.Claim]:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    (mine,) = claiming.claim(broadcast_id, 1, worker="worker a", now=studio.now)
    studio.now += timedelta(seconds=7)
    assert claims.take_over_lost(now=studio.now) == 1
    return broadcast_id, mine


def settle(studio: Studio, claim: claims.Claim, answer: Failure) -> None:
    settling.settle([Outcome(claim, answer)], now=studio.now)


def test_a_refusal_that_comes_after_the_lease_clears_the_doubt(
    studio: Studio, fresh_database: TestDatabase, opt_in_states: Callable[[], dict[str, int]]
) -> None:
    _, mine = lost_claim(studio)
    for _ in range(2):  # and a repeat changes nothing
        settle(studio, mine, REFUSED)
        assert fresh_database.rows(STATE) == [("failed", "token_refused", None, 1, False)]
        assert opt_in_states() == {"refused": 1}


def test_it_is_tried_again_without_a_doubt(studio: Studio, fresh_database: TestDatabase) -> None:
    broadcast_id, mine = lost_claim(studio)
    settle(studio, mine, PASSING)
    assert fresh_database.rows(STATE) == [("queued", "temporary", None, 1, False)]
    studio.now += timedelta(minutes=1)
    (again,) = claiming.claim(broadcast_id, 1, worker="worker b", now=studio.now)
    assert not again.in_doubt


def test_a_refusal_that_comes_after_another_claim_changes_nothing(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    broadcast_id, mine = lost_claim(studio)
    studio.now += timedelta(seconds=5)
    (theirs,) = claiming.claim(broadcast_id, 1, worker="worker b", now=studio.now)
    settle(studio, mine, REFUSED)
    assert fresh_database.rows("SELECT state, in_doubt FROM delivery") == [("sending", True)]
    claims.hand_back([theirs], worker="worker b", now=studio.now)
    settle(studio, mine, REFUSED)
    assert fresh_database.rows("SELECT state, in_doubt FROM delivery") == [("queued", True)]


def test_what_ended_unknown_ends_by_the_refusal_and_is_not_queued_by_it(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    _, mine = lost_claim(studio)
    fresh_database.run("UPDATE delivery SET state = 'unknown'")  # as after the last try
    settle(studio, mine, UNHEARD)
    assert fresh_database.rows("SELECT state FROM delivery") == [("unknown",)]
    settle(studio, mine, REFUSED)
    assert fresh_database.rows("SELECT state FROM delivery") == [("failed",)]


def test_what_a_cancel_ended_stays_as_it_is(studio: Studio, fresh_database: TestDatabase) -> None:
    broadcast_id, mine = lost_claim(studio)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    before = fresh_database.rows(STATE)
    settle(studio, mine, PASSING)
    assert fresh_database.rows(STATE) == before


@pytest.mark.postgresql  # SQLite takes any number
def test_one_outcome_the_database_will_not_take_does_not_keep_the_others(studio: Studio) -> None:
    studio.people(5)
    giant = replace(PASSING, code=2**70)
    studio.platform.fault = lambda token, _nth: giant if token == "token-2" else None
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.loop().drain()
    counts = studio.show(broadcast_id).counts
    assert (counts["sent"], counts["sending"]) == (4, 1)


@pytest.mark.one_database
def test_outcomes_are_kept_although_the_usage_of_their_fanpage_cannot_be_written(
    studio: Studio, fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "TROUBLE_SECONDS", 0.01)
    studio.people(5)
    studio.launch(studio.broadcast())
    troubles = iter(range(3))

    def usage() -> None:
        if next(troubles, None) is not None:
            raise OperationalError("UPDATE", {}, Exception("disk full"))

    monkeypatch.setattr(studio.platform, "usage", usage)
    made = studio.loop()
    made.drain()
    assert fresh_database.rows("SELECT DISTINCT state, tries, in_doubt FROM delivery") == [("sent", 0, False)]
    assert set(made.planner.unanswered.values()) == {0}


class Unwritable:
    """Settling turns us away; the rest of the database is well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, until: Callable[[int], bool]) -> None:
        self.refusals = 0
        own = settling.settle

        def refused(outcomes: Any, **more: Any) -> None:
            if outcomes and not until(self.refusals):
                self.refusals += 1
                raise OperationalError("UPDATE", {}, Exception("disk full"))
            own(outcomes, **more)

        monkeypatch.setattr(settling, "settle", refused)
        monkeypatch.setattr(loop, "TROUBLE_SECONDS", 0.01)


def with_an_answer(studio: Studio, answer: Answer, *, is_told_to_stop: bool) -> tuple[int, loop.SendingLoop]:
    """A loop that knows of an outcome which nobody has written yet."""
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    (mine,) = claiming.claim(broadcast_id, 1, worker="worker a", now=studio.now)
    stop = threading.Event()
    if is_told_to_stop:
        stop.set()
    made = studio.loop(stop=stop)
    made.unsettled.take_in([Outcome(mine, answer)])
    return broadcast_id, made


@pytest.mark.one_database
@pytest.mark.parametrize("answer", [Accepted("m.1"), PASSING])
def test_what_is_known_is_not_given_up(
    studio: Studio, fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    """However long it takes: its patience would be over at once."""
    monkeypatch.setattr(loop, "END_WITHIN_SECONDS", 0.0)
    unwritable = Unwritable(monkeypatch, until=lambda refusals: refusals >= 5)
    _, made = with_an_answer(studio, answer, is_told_to_stop=False)
    made.drain()
    assert unwritable.refusals == 5
    written = ("sent", None) if isinstance(answer, Accepted) else ("queued", "temporary")
    assert fresh_database.rows("SELECT state, reason FROM delivery") == [written]


@pytest.mark.one_database
def test_told_to_stop_it_still_writes_what_it_knows(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "END_WITHIN_SECONDS", 600.0)
    unwritable = Unwritable(monkeypatch, until=lambda refusals: refusals >= 5)
    broadcast_id, made = with_an_answer(studio, Accepted("m.1"), is_told_to_stop=True)
    made.run()
    assert unwritable.refusals == 5
    assert studio.show(broadcast_id).counts["sent"] == 1


@pytest.mark.one_database
def test_told_to_stop_it_gives_up_what_it_cannot_write_in_time(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "END_WITHIN_SECONDS", 0.1)
    Unwritable(monkeypatch, until=lambda _refusals: False)
    broadcast_id, made = with_an_answer(studio, Accepted("m.1"), is_told_to_stop=True)
    made.run()
    assert studio.show(broadcast_id).counts["sending"] == 1


def test_a_defect_of_the_breaker_does_not_settle_anything_twice(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[int] = []
    monkeypatch.setattr(breaker_trip, "judge", raises(RuntimeError("a defect")))
    monkeypatch.setattr(allowance, "note_calls", lambda _db, calls, **_: settled.append(sum(calls.values())))
    studio.people(3)
    studio.platform.fault = lambda *_: REFUSED
    studio.launch(studio.broadcast())
    studio.loop().drain()
    assert sum(settled) == 3


def raises(problem: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise problem

    return fail
