"""What a refused token proves, and when it proves nothing: see docs/decisions/0018."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.messenger import connection_check
from core.messenger.errors import Failure, NextStep, classify
from core.messenger.send_responses import Accepted, Answer
from tests.sending.conftest import Studio
from tests.sending.platform import USED, Platform

States = Callable[[], dict[str, int]]
BAD_PROOF = '{"message": "Invalid appsecret_proof provided in the API argument", "code": 100, "trace": "%s"}'
PROOF_REFUSED = Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100, None, BAD_PROOF % "A")
PROOF_REFUSED_TOO = Failure(NextStep.END_DELIVERY, "content", 400, 100, None, BAD_PROOF % "B")


def test_a_wrong_app_secret_is_not_taken_for_used_tokens(studio: Studio, opt_in_states: States) -> None:
    studio.people(10)
    studio.platform.fault = lambda token, nth: (
        Failure(NextStep.IN_DOUBT, "timeout") if nth == 1 and token < "token-5" else PROOF_REFUSED
    )
    studio.platform.line_trouble = PROOF_REFUSED_TOO
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code) == ("paused", "call_refused")
    assert shown.counts["queued"] == 10
    assert opt_in_states() == {"reserved": 10}


def test_after_the_repair_everybody_is_reached_once(studio: Studio, opt_in_states: States) -> None:
    from core.db.engine import transaction
    from core.db.tables import Fanpage

    studio.people(6)
    studio.platform.fault = lambda token, nth: "lost" if nth == 1 and token < "token-3" else PROOF_REFUSED
    studio.platform.line_trouble = PROOF_REFUSED_TOO
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=2)
    studio.platform.fault, studio.platform.line_trouble = lambda token, nth: None, None
    with transaction() as db:
        db.get_one(Fanpage, studio.fanpage_id).stopped_code = None
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["sent"] == 6
    assert set(studio.platform.accepted.values()) == {1}
    assert opt_in_states() == {"spent": 6}


def test_an_acceptance_in_the_same_call_shows_that_the_connection_works(studio: Studio) -> None:
    answers: list[Answer] = [USED, Accepted("m_1")]
    assert connection_check.attribute_refusals(Platform(line_trouble=PROOF_REFUSED_TOO), answers) == answers


def test_a_connection_that_works_leaves_the_refusal_to_the_token() -> None:
    assert connection_check.attribute_refusals(Platform(), [USED]) == [USED]


@pytest.mark.parametrize(
    "odd",
    [
        classify(404, {"message": "Unsupported get request", "code": 100}, by_token=False),
        classify(404, None, by_token=False),
        classify(403, None, by_token=False),
    ],
)
def test_an_odd_answer_to_the_question_is_no_reason_to_stop(odd: Failure) -> None:
    """A proxy or another version may not know the question: only the same answer proves anything."""
    assert connection_check.attribute_refusals(Platform(line_trouble=odd), [USED]) == [USED]


@pytest.mark.parametrize(
    "trouble",
    [
        Failure(NextStep.NOT_SENT, "not_connected"),
        Failure(NextStep.IN_DOUBT, "timeout"),
        Failure(NextStep.IN_DOUBT, "server_error", 500),
        Failure(NextStep.RETRY_LATER, "temporary", 400, 2),
    ],
    ids=lambda failure: failure.reason,
)
def test_when_the_connection_cannot_be_asked_the_refusal_waits(trouble: Failure) -> None:
    """And not for ever: each wait is a try, of which a delivery has eight."""
    platform = Platform(line_trouble=trouble)
    for _ in range(3):
        (answer,) = connection_check.attribute_refusals(platform, [USED])
        assert isinstance(answer, Failure)
        assert answer.step == NextStep.RETRY_LATER
    platform.line_trouble = None
    assert connection_check.attribute_refusals(platform, [USED]) == [USED]


def test_a_dead_access_token_found_by_the_question_stops_the_fanpage() -> None:
    dead = Failure(NextStep.STOP_FANPAGE, "token_invalid", 400, 190)
    blocked = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)
    assert connection_check.attribute_refusals(Platform(line_trouble=dead), [USED, blocked]) == [
        dead,
        blocked,
    ]


def test_a_fanpage_out_of_reach_is_not_taken_for_a_used_token() -> None:
    """100/33: the object does not exist or is not permitted. Said of the fanpage too, it is about that."""
    sent = classify(
        400, {"message": "Unsupported post request", "code": 100, "error_subcode": 33}, by_token=True
    )
    asked = classify(
        400, {"message": "Unsupported get request", "code": 100, "error_subcode": 33}, by_token=False
    )
    (answer,) = connection_check.attribute_refusals(Platform(line_trouble=asked), [sent])
    assert isinstance(answer, Failure)
    assert (answer.step, answer.reason) == (NextStep.STOP_FANPAGE, "call_refused")


def test_with_others_refused_alike_and_nobody_reached_a_refusal_on_retry_proves_nothing(
    studio: Studio, opt_in_states: States
) -> None:
    studio.people(3)
    studio.platform.fault = lambda token, nth: (
        Failure(NextStep.IN_DOUBT, "timeout") if (token, nth) == ("token-0", 1) else USED
    )
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=10)
    shown = studio.show(broadcast_id)
    assert (shown.counts["sent"], shown.counts["failed"], shown.counts["unknown"]) == (0, 2, 1)
    assert opt_in_states() == {"refused": 2, "reserved": 1}


def test_once_somebody_is_reached_the_refusal_on_retry_is_proof_again(studio: Studio) -> None:
    studio.people(3)
    studio.platform.fault = lambda token, nth: {
        "token-0": "lost" if nth == 1 else None,
        "token-1": USED,
        "token-2": Failure(NextStep.RETRY_LATER, "temporary", 400, 2) if nth < 3 else None,
    }[token]
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=6)
    shown = studio.show(broadcast_id)
    assert (shown.counts["sent"], shown.counts["failed"], shown.counts["unknown"]) == (2, 1, 0)


def test_conclusions_from_refusals_do_not_keep_a_wrong_message_going(
    studio: Studio, opt_in_states: States
) -> None:
    """Somebody counted as sent without a message id is nobody reached: the broadcast pauses itself."""
    studio.people(60)
    studio.platform.fault = lambda token, nth: (
        Failure(NextStep.IN_DOUBT, "timeout") if nth == 1 and token in ("token-0", "token-1") else USED
    )
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=3)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code, shown.counts["sent"]) == ("paused", "alike:token_refused", 0)
    assert opt_in_states()["reserved"] == 2 + shown.counts["queued"] - shown.in_doubt


def test_past_the_end_of_its_year_a_token_in_doubt_is_not_tried_again(
    studio: Studio, opt_in_states: States
) -> None:
    studio.opt_in("old", consented_at=studio.now - timedelta(days=363, hours=23))
    studio.platform.fault = lambda token, nth: Failure(NextStep.IN_DOUBT, "timeout")
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    actions.pause(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.now += timedelta(days=2)
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=1)
    assert studio.platform.tries["old"] == 1
    assert studio.show(broadcast_id).reasons == {"expired": 1}
    assert studio.show(broadcast_id).counts["unknown"] == 1
    assert opt_in_states() == {"reserved": 1}
