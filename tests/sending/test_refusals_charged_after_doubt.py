"""Nobody is blamed, and no token is lost, when doubt, a silent connection or a lost look come between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, canary, scheduled_jobs
from core.db.engine import reading
from core.db.tables import Customer
from core.messenger.client import GraphRefused
from core.messenger.connection_check import EDGE
from core.messenger.errors import Failure, NextStep
from core.sending.limits import breaker_trip
from tests.broadcasts.audiences import choose_first_part
from tests.sending.conftest import Studio
from tests.sending.test_refusals_charged import launched, refusal
from tests.sending.turn_loop import turn_until

States = Callable[[], dict[str, int]]
OUTAGE = Failure(NextStep.IN_DOUBT, "server_error", 500)
LIMITED = Failure(NextStep.SLOW_DOWN, "rate_limit", 400, 613)

pytestmark = pytest.mark.one_database


def number(token: str) -> int:
    return int(token.removeprefix("token-"))


def firm() -> int:
    with reading() as db:
        marked = select(col(Customer.id)).where(col(Customer.unreachable_firm_at).is_not(None))
        return len(db.execute(marked).all())


def test_no_such_object_proves_nothing_of_a_token_in_doubt(studio: Studio, opt_in_states: States) -> None:
    """Twenty were accepted, then an outage, then 100/33 on every send while the connection works."""

    def fault(token: str, nth: int) -> Failure | None:
        if number(token) < 20:
            return None
        return OUTAGE if nth == 1 else refusal(100, 33)

    studio.platform.fault = fault
    shown = studio.show(launched(studio, 100))
    studio.send_all(rounds=4)
    shown = studio.show(shown.id)
    assert (shown.counts["sent"], shown.pause_code) == (20, "alike:token_refused")
    assert opt_in_states() == {"spent": 20, "reserved": 80}


@pytest.mark.parametrize("code", [(100, 33), (100, None)], ids=str)
def test_a_connection_that_is_silent_at_first_leaves_no_doubt_behind(
    studio: Studio, opt_in_states: States, code: tuple[int, int | None]
) -> None:
    studio.platform.fault = lambda _token, _nth: refusal(*code)
    studio.platform.line_trouble = LIMITED
    broadcast_id = launched(studio)
    studio.loop().drain()
    studio.pass_time(seconds=90)
    studio.platform.line_trouble = None
    studio.send_all(rounds=3)
    shown = studio.show(broadcast_id)
    assert shown.counts["unknown"] == 0
    assert opt_in_states().keys() <= {"available", "reserved"}
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    assert opt_in_states() == {"available": 60}


def test_the_connection_is_asked_no_oftener_than_it_may_be(studio: Studio, opt_in_states: States) -> None:
    """Every tenth token is refused with 100/33; the profile is read ten times in ten minutes at most."""
    ask, since = studio.platform.get, studio.now

    def get(path: str, **more: str) -> dict[str, object]:
        if path == EDGE and studio.now - since < timedelta(minutes=10) and studio.platform.asked[EDGE] >= 10:
            raise GraphRefused(LIMITED)
        return ask(path, **more)

    studio.platform.get = get
    studio.platform.fault = lambda token, _nth: refusal(100, 33) if number(token) % 10 == 0 else None
    broadcast_id = launched(studio, 300)
    studio.send_all(rounds=4)
    shown = studio.show(broadcast_id)
    assert studio.platform.asked[EDGE] <= 10
    assert (shown.counts["sent"], shown.counts["failed"], shown.counts["unknown"]) == (270, 30, 0)
    assert opt_in_states() == {"spent": 270, "refused": 30}


@pytest.mark.parametrize("code", [(551, None), (31337, None), (100, 33)], ids=str)
def test_a_first_part_is_a_small_broadcast_to_the_breaker(
    studio: Studio, opt_in_states: States, code: tuple[int, int | None]
) -> None:
    studio.platform.fault = lambda _token, _nth: refusal(*code)
    studio.people(60)
    broadcast_id = studio.broadcast()
    choose_first_part(broadcast_id, 12, now=studio.now)
    studio.launch(broadcast_id)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code[:6]) == ("paused", "alike:")
    studio.platform.fault = lambda _token, _nth: None
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=3)
    canary.judge(now=studio.now)
    shown = studio.show(broadcast_id)
    assert shown.counts["sent"] >= 40
    assert firm() == 0
    assert "refused" not in opt_in_states()


def test_a_verdict_of_the_breaker_that_is_lost_is_made_up_for(
    studio: Studio, opt_in_states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = breaker_trip.judge

    def lost(*_: object, **__: object) -> None:
        raise OperationalError("the worker dies here", {}, Exception())

    monkeypatch.setattr(breaker_trip, "judge", lost)
    studio.platform.fault = lambda _token, _nth: refusal(100)
    broadcast_id = launched(studio, 5)
    turn_until(studio.loop(), lambda: studio.show(broadcast_id).counts["failed"] == 5)
    monkeypatch.setattr(breaker_trip, "judge", judge)
    assert scheduled_jobs.finish_done(now=studio.now) == []
    breaker_trip.judge_sending_broadcasts(now=studio.now)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code) == ("paused", "alike:token_refused")
    assert opt_in_states() == {"available": 5}


def test_the_clock_does_not_finish_what_is_about_to_pause_itself(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = breaker_trip.judge

    def the_clock_first(*given: object, **more: object) -> None:
        scheduled_jobs.finish_done(now=studio.now)
        judge(*given, **more)

    monkeypatch.setattr(breaker_trip, "judge", the_clock_first)
    studio.platform.fault = lambda _token, _nth: refusal(31337)
    broadcast_id = launched(studio, 5)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).state == "paused"
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    assert scheduled_jobs.finish_done(now=studio.now) == [broadcast_id]


def test_a_cancelled_broadcasts_refusals_do_not_count_against_the_next(studio: Studio) -> None:
    bad = set(studio.people(100)) and {f"token-{n}" for n in range(100)}
    studio.platform.fault = lambda token, _nth: refusal(100) if token in bad or token == "good-3" else None
    first = studio.broadcast()
    studio.launch(first)
    studio.send_all(rounds=2)
    actions.cancel(COMMAND_LINE, first, now=studio.now)
    studio.topic_id = studio.arrange.topic(studio.fanpage_id, name="Chủ đề khác")
    for n in range(100):
        studio.opt_in(f"good-{n}")
    second = studio.broadcast()
    studio.launch(second)
    studio.send_all(rounds=3)
    assert studio.show(second).counts["sent"] == 99


def test_kinds_of_unreachable_in_turn_do_not_walk_through_an_audience(studio: Studio) -> None:
    studio.platform.fault = lambda token, _nth: (
        refusal(551, 1545041) if number(token) % 2 else refusal(100, 2018001)
    )
    broadcast_id = launched(studio, 200)
    studio.send_all(rounds=3)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code) == ("paused", "alike:blocked")
    assert shown.counts["queued"]  # at once but for what was on the wire
    with reading() as db:
        assert not db.execute(select(col(Customer.id)).where(col(Customer.unreachable_at).is_not(None))).all()
