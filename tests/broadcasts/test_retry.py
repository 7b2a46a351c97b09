"""Settling doubts, retrying the failed, sending to the rest: nobody already served is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import actions, retry
from core.broadcasts.delivery_queries import list_deliveries
from core.errors import NotAllowed, WrongState
from core.messenger.errors import Failure, NextStep

DOUBT = Failure(NextStep.IN_DOUBT, "timeout")
ODD = Failure(NextStep.END_DELIVERY, "unknown_error", 400, 4242)
USED = Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100)


@pytest.fixture
def doubtful(studio):
    """Two sent, three in doubt to the end; finished."""
    studio.people(5)
    studio.platform.fault = lambda token, nth: DOUBT if token > "token-1" else None
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=10)
    studio.platform.fault = lambda token, nth: None
    return broadcast_id


def test_counting_as_sent_spends_the_tokens_and_sends_nothing(studio, doubtful, opt_in_states) -> None:
    one = list_deliveries(doubtful, states=["unknown"])[0].id
    assert retry.count_as_sent(COMMAND_LINE, doubtful, delivery_ids=[one], now=studio.now) == 1
    assert retry.count_as_sent(COMMAND_LINE, doubtful, now=studio.now) == 2
    shown = studio.show(doubtful)
    assert (shown.state, shown.counts["sent"], shown.balances) == ("finished", 5, True)
    assert opt_in_states() == {"spent": 5}
    assert sum(studio.platform.accepted.values()) == 2


def test_trying_again_reaches_only_who_was_in_doubt(studio, doubtful, opt_in_states) -> None:
    assert retry.try_again(COMMAND_LINE, doubtful, now=studio.now) == 3
    assert studio.show(doubtful).state == "sending"
    studio.send_all(rounds=1)
    shown = studio.show(doubtful)
    assert (shown.state, shown.counts["sent"]) == ("finished", 5)
    assert set(studio.platform.accepted.values()) == {1}
    assert opt_in_states() == {"spent": 5}


def test_retrying_the_failed_uses_tokens_that_are_still_theirs(studio, opt_in_states) -> None:
    studio.people(4)
    answers = {
        "token-0": ODD,
        "token-1": USED,
        "token-2": Failure(NextStep.END_DELIVERY, "content", 400, 105),
    }
    studio.platform.fault = lambda token, nth: answers.get(token)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["failed"] == 3
    studio.platform.fault = lambda token, nth: None
    assert retry.retry_failed(COMMAND_LINE, broadcast_id, now=studio.now) == 3
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["sent"] == 4
    assert studio.platform.accepted["token-3"] == 1
    assert opt_in_states() == {"spent": 4}


def test_a_token_used_elsewhere_meanwhile_is_not_retried(studio) -> None:
    studio.people(1)
    studio.platform.fault = lambda token, nth: Failure(NextStep.END_DELIVERY, "content", 400, 105)
    first = studio.broadcast()
    studio.launch(first)
    studio.send_all(rounds=1)
    studio.platform.fault = lambda token, nth: None
    second = studio.broadcast()
    studio.launch(second)
    studio.send_all(rounds=1)
    assert retry.retry_failed(COMMAND_LINE, first, now=studio.now) == 0
    assert studio.show(first).state == "finished"
    assert studio.platform.accepted == {"token-0": 1}


def test_the_rest_of_a_cancelled_broadcast_can_still_get_it(studio, opt_in_states) -> None:
    studio.people(6)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    assert retry.send_to_rest(COMMAND_LINE, broadcast_id, now=studio.now) == 6
    studio.send_all(rounds=1)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["sent"], shown.balances) == ("finished", 6, True)
    assert opt_in_states() == {"spent": 6}


def test_what_came_too_late_needs_a_new_best_before(studio) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id, best_before=studio.now + timedelta(minutes=1))
    studio.pass_time(minutes=2)
    assert studio.show(broadcast_id).reasons == {"too_late": 2}
    later = studio.now + timedelta(hours=1)
    assert retry.send_to_rest(COMMAND_LINE, broadcast_id, best_before=later, now=studio.now) == 2
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["sent"] == 2


def test_a_draft_has_nothing_to_settle(studio) -> None:
    with pytest.raises(WrongState):
        retry.send_to_rest(COMMAND_LINE, studio.broadcast(), now=studio.now)


def test_an_editor_may_not_settle(studio, doubtful) -> None:
    with pytest.raises(NotAllowed):
        retry.count_as_sent(Actor(None, "lan", Role.EDITOR), doubtful, now=studio.now)
