"""The first few go out, then the broadcast waits for their outcome."""

from __future__ import annotations

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, canary
from core.errors import Invalid, WrongState
from core.messenger.errors import Failure, NextStep
from tests.broadcasts.audiences import choose_first_part
from tests.sending.conftest import Studio

BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)
CONTENT = Failure(NextStep.END_DELIVERY, "content", 400, 105)


def launched(studio: Studio, people: int, size: int) -> int:
    studio.people(people)
    broadcast_id = studio.broadcast()
    choose_first_part(broadcast_id, size, now=studio.now)
    studio.launch(broadcast_id)
    return broadcast_id


def test_only_the_first_part_goes_out_before_it_is_judged(studio: Studio) -> None:
    broadcast_id = launched(studio, 30, 10)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["sent"] == 10
    canary.judge(now=studio.now)
    studio.send_all(rounds=1)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["sent"]) == ("finished", 30)


@pytest.mark.parametrize(("failure", "bad_ones"), [(BLOCKED, 2), (CONTENT, 3)])
def test_too_many_failures_pause_it_and_staff_may_still_go_on(studio, failure, bad_ones) -> None:
    broadcast_id = launched(studio, 30, 10)
    studio.platform.fault = lambda token, nth: failure if int(token[6:]) < bad_ones else None
    studio.send_all(rounds=1)
    canary.judge(now=studio.now)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code, shown.counts["queued"]) == ("paused", "canary_failed", 20)
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["sent"] == 30 - bad_ones


def test_failures_within_the_limits_let_it_go_on(studio: Studio) -> None:
    broadcast_id = launched(studio, 30, 10)
    studio.platform.fault = lambda token, nth: BLOCKED if token == "token-0" else None
    studio.send_all(rounds=1)
    canary.judge(now=studio.now)
    assert studio.show(broadcast_id).state == "sending"


def test_staff_need_not_wait_for_the_outcome(studio: Studio) -> None:
    broadcast_id = launched(studio, 30, 10)
    canary.let_rest_go(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["sent"] == 30


def test_an_audience_smaller_than_the_first_part_goes_out_whole(studio: Studio) -> None:
    broadcast_id = launched(studio, 5, 50)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).state == "finished"


def test_it_cannot_be_set_once_it_runs_nor_to_nonsense(studio: Studio) -> None:
    broadcast_id = launched(studio, 2, 0)
    with pytest.raises(WrongState):
        choose_first_part(broadcast_id, 10, now=studio.now)
    with pytest.raises(Invalid):
        choose_first_part(broadcast_id, -1, now=studio.now)
