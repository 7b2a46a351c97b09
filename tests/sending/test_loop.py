"""From claim to settle, against a platform in memory: each token once, every outcome in its right place."""

from __future__ import annotations

import threading
from datetime import timedelta

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.broadcasts.delivery_queries import list_deliveries
from core.broadcasts.dry_run_queries import dry_run
from core.consent.withdrawal_actions import withdraw_customer
from core.db.engine import reading
from core.db.tables import FanpageRate, OptIn
from core.messenger.errors import Failure, NextStep
from core.sending import timetable
from tests.sending.conftest import Studio

TEMPORARY = Failure(NextStep.RETRY_LATER, "temporary", 400, 2)
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)
DOUBT = Failure(NextStep.IN_DOUBT, "timeout")
STOPPED = Failure(NextStep.STOP_FANPAGE, "token_invalid", 400, 190)
SLOW = Failure(NextStep.SLOW_DOWN, "rate_limit", 400, 613)


def test_everybody_gets_it_once_and_the_next_dry_run_offers_nobody(studio: Studio, opt_in_states) -> None:
    studio.people(60)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["sent"], shown.balances) == ("finished", 60, True)
    assert set(studio.platform.accepted.values()) == {1}
    assert opt_in_states() == {"spent": 60}
    again = dry_run(studio.topic_id, now=studio.now)
    assert (again.eligible, again.left_out) == (0, {"used": 60})


def test_the_text_greets_each_by_name(studio: Studio) -> None:
    studio.people(1)
    studio.launch(studio.broadcast())
    studio.send_all(rounds=1)
    assert studio.platform.texts == [("token-0", "Chào Lan, hàng mới đã về!")]


def test_an_answer_lost_after_acceptance_is_proven_by_the_refusal_on_retry(studio, opt_in_states) -> None:
    studio.people(10)
    studio.platform.fault = lambda token, nth: "lost" if nth == 1 else None
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert shown.counts["sent"] == 10
    deliveries = list_deliveries(broadcast_id)
    assert {d.evidence for d in deliveries} == {"refused_on_retry"}
    assert opt_in_states() == {"spent": 10}


def test_a_doubt_that_never_clears_ends_as_unknown_and_keeps_the_token(studio, opt_in_states) -> None:
    studio.people(3)
    studio.platform.fault = lambda token, nth: DOUBT
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=10)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["unknown"], shown.balances) == ("finished", 3, True)
    assert opt_in_states() == {"reserved": 3}


def test_a_blocked_customer_keeps_the_token_and_is_left_out_once_a_later_call_is_taken(
    studio, opt_in_states
) -> None:
    studio.people(2)
    studio.platform.fault = lambda token, nth: BLOCKED if token == "token-0" else None
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).reasons == {"blocked": 1}
    assert opt_in_states() == {"available": 1, "spent": 1}
    assert dry_run(studio.topic_id, now=studio.now).left_out == {"used": 1}
    studio.opt_in("token-2")
    later = studio.broadcast()
    studio.launch(later)
    studio.send_all(rounds=1)
    assert studio.show(later).counts["sent"] == 1
    assert dry_run(studio.topic_id, now=studio.now).left_out == {"unreachable": 1, "used": 2}


def test_a_blocked_answer_after_a_doubt_proves_nothing(studio, opt_in_states) -> None:
    studio.people(1)
    studio.platform.fault = lambda token, nth: "lost" if nth == 1 else BLOCKED
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["unknown"] == 1
    assert opt_in_states() == {"reserved": 1}


def test_passing_refusals_are_tried_again_and_then_given_up_with_the_token_returned(
    studio, opt_in_states
) -> None:
    studio.people(2)
    studio.platform.fault = lambda token, nth: TEMPORARY if token == "token-0" or nth < 3 else None
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=10)
    shown = studio.show(broadcast_id)
    assert (shown.counts["sent"], shown.counts["failed"], shown.reasons) == (1, 1, {"temporary": 1})
    assert opt_in_states() == {"available": 1, "spent": 1}


def test_too_fast_costs_no_try_and_everybody_is_served_in_the_end(studio) -> None:
    studio.people(20)
    studio.platform.fault = lambda token, nth: SLOW if nth <= 9 else None
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=12)
    assert studio.show(broadcast_id).counts["sent"] == 20


def test_a_dead_access_token_pauses_everything_and_loses_nothing(studio, opt_in_states) -> None:
    studio.people(30)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.platform.fault = lambda token, nth: STOPPED
    studio.send_all(rounds=1)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code, shown.counts["queued"]) == ("paused", "token_invalid", 30)
    assert opt_in_states() == {"reserved": 30}


def test_when_the_first_twenty_are_all_refused_it_pauses_itself_and_burns_no_token(
    studio, opt_in_states
) -> None:
    studio.people(300)  # a second's worth: some are still queued when the first outcomes are known
    studio.platform.fault = lambda token, nth: Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code, shown.balances) == ("paused", "alike:token_refused", True)
    assert shown.counts["queued"] > 0
    states = {"available": shown.counts["failed"], "reserved": shown.counts["queued"]}
    assert opt_in_states() == states


def test_cancel_returns_what_was_not_tried_and_keeps_what_is_in_doubt(studio, opt_in_states) -> None:
    studio.people(5)
    studio.platform.fault = lambda token, nth: DOUBT if token in ("token-0", "token-1") else TEMPORARY
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.loop().drain()
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    shown = studio.show(broadcast_id)
    assert (shown.counts["unknown"], shown.counts["cancelled"], shown.balances) == (2, 3, True)
    assert opt_in_states() == {"reserved": 2, "available": 3}


def test_past_the_best_before_the_unsent_are_skipped_and_their_tokens_returned(studio, opt_in_states) -> None:
    studio.people(4)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id, best_before=studio.now + timedelta(minutes=5))
    actions.pause(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.pass_time(minutes=6)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["skipped"], shown.reasons) == ("finished", 4, {"too_late": 4})
    assert opt_in_states() == {"available": 4}


def test_a_loop_told_to_stop_hands_back_what_it_has_not_sent(studio) -> None:
    studio.people(50)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    stop = threading.Event()

    def stop_after_five(token: str, nth: int) -> None:
        if sum(studio.platform.tries.values()) >= 5:
            stop.set()

    studio.platform.fault = stop_after_five
    studio.loop(stop=stop).drain()
    shown = studio.show(broadcast_id)
    assert shown.counts["sending"] == 0
    assert shown.counts["sent"] + shown.counts["queued"] == 50
    assert shown.in_doubt == 0
    assert sum(studio.platform.accepted.values()) == shown.counts["sent"]


def test_a_withdrawn_opt_in_is_not_used_even_after_the_launch(studio) -> None:
    opt_in_id = studio.people(2)[0]
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    with reading() as db:
        customer_id = db.get_one(OptIn, opt_in_id).customer_id
    withdraw_customer(COMMAND_LINE, customer_id, now=studio.now)
    studio.send_all(rounds=1)
    shown = studio.show(broadcast_id)
    assert (shown.counts["sent"], shown.counts["skipped"]) == (1, 1)
    assert shown.reasons == {"withdrawn": 1}
    assert studio.platform.accepted == {"token-1": 1}


def test_of_several_opt_ins_of_a_customer_the_one_that_ends_first_is_used(studio) -> None:
    customer_id = studio.arrange.customer(studio.fanpage_id)
    for token, days in (("younger", 10), ("older", 200)):
        studio.arrange.opt_in(
            studio.topic_id,
            customer_id,
            fanpage_id=studio.fanpage_id,
            token=token,
            consented_at=studio.now - timedelta(days=days),
        )
    studio.launch(studio.broadcast())
    studio.send_all(rounds=1)
    assert studio.platform.accepted == {"older": 1}
    assert dry_run(studio.topic_id, now=studio.now).eligible == 1


def test_after_a_loop_that_was_told_to_stop_another_goes_on_within_its_look_ahead(studio: Studio) -> None:
    """What it had claimed ahead goes back; the slots of it are all that the fanpage loses."""
    studio.people(200)
    studio.launch(studio.broadcast())
    stop = threading.Event()
    studio.platform.fault = lambda _token, _nth: stop.set()
    studio.loop(stop=stop).drain()
    with reading() as db:
        ahead = db.get_one(FanpageRate, studio.fanpage_id).next_free - studio.now.timestamp()
    assert 0 < ahead <= timetable.LOOK_AHEAD_SECONDS + 1 / 300
    studio.platform.fault = lambda _token, _nth: None
    studio.send_all(rounds=1)
    assert set(studio.platform.accepted.values()) == {1}
    assert len(studio.platform.accepted) == 200
