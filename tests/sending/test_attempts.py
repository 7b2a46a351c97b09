"""Every try that was not simply accepted at once is kept, once, with its times and the platform's answer."""

from __future__ import annotations

import csv
from datetime import timedelta

from sqlalchemy import func, select

from core.broadcasts.delivery_queries import list_deliveries
from core.broadcasts.results_export import csv_report
from core.db.engine import reading
from core.db.tables import DeliveryAttempt
from core.deliveries.attempts import AttemptView, attempts_of
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.sending import settling
from core.sending.settling import Outcome
from tests import claiming
from tests.sending.conftest import Studio

DOUBT = Failure(NextStep.IN_DOUBT, "server_error", 502, None, None, "<html>Bad gateway</html>")
BUSY = Failure(NextStep.SLOW_DOWN, "rate_limit", 400, 613, 2534040, '{"code": 613}')
UNHEARD = Failure(NextStep.NOT_SENT, "not_connected")


def tries(studio: Studio, broadcast_id: int) -> list[list[AttemptView]]:
    found = attempts_of([d.id for d in list_deliveries(broadcast_id)])
    return [found[delivery_id] for delivery_id in sorted(found)]


def count() -> int:
    with reading() as db:
        return db.execute(select(func.count()).select_from(DeliveryAttempt)).scalar_one()


def test_what_is_accepted_at_once_leaves_no_trace(studio: Studio) -> None:
    studio.people(30)
    studio.launch(studio.broadcast())
    studio.send_all(rounds=1)
    assert count() == 0


def test_a_doubt_and_its_proof_are_both_kept_with_codes_and_times(studio: Studio) -> None:
    studio.people(3)
    studio.platform.fault = lambda token, nth: (
        {1: "lost", 2: DOUBT, 3: BUSY}.get(nth) if token == "token-1" else None
    )
    broadcast_id, began = studio.broadcast(), studio.now
    studio.launch(broadcast_id)
    studio.send_all(rounds=5)
    (kept,) = tries(studio, broadcast_id)
    assert [(t.reason, t.in_doubt, t.status, t.code, t.subcode) for t in kept] == [
        ("connection_lost", True, None, None, None),
        ("server_error", True, 502, None, None),
        ("rate_limit", False, 400, 613, 2534040),
        ("token_refused", False, 400, 100, None),
    ]
    assert kept[1].detail == "<html>Bad gateway</html>"
    assert [t.started_at for t in kept] == [began + timedelta(seconds=90 * n) for n in range(4)]
    assert all(t.answered_at and t.answered_at >= t.started_at for t in kept)


def test_the_try_that_is_accepted_in_the_end_is_kept_too(studio: Studio) -> None:
    studio.people(2)
    studio.platform.fault = lambda token, nth: DOUBT if nth == 1 and token == "token-0" else None
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=2)
    assert [[t.reason for t in each] for each in tries(studio, broadcast_id)] == [
        ["server_error", "accepted"]
    ]


def test_what_never_left_this_machine_is_no_try(studio: Studio) -> None:
    studio.people(4)
    studio.platform.fault = lambda token, nth: UNHEARD
    studio.launch(studio.broadcast())
    studio.send_all(rounds=3)
    assert count() == 0


def test_a_settle_that_is_repeated_adds_nothing(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    (claim,) = claiming.claim(broadcast_id, 1, worker="worker a", now=studio.now)
    for _ in range(3):
        settling.settle([Outcome(claim, DOUBT)], now=studio.now)
    assert count() == 1


def test_a_lost_claim_and_the_answer_that_came_late_are_two_rows(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    (claim,) = claiming.claim(broadcast_id, 1, worker="worker dead", now=studio.now)
    started_at = studio.now
    studio.pass_time(minutes=2)
    late = Outcome(claim, DOUBT, started_at, studio.now)
    settling.settle([late], now=studio.now)
    studio.pass_time(minutes=1)
    studio.loop().drain()
    (kept,) = tries(studio, broadcast_id)
    assert [(t.reason, t.started_at) for t in kept] == [
        ("lease_ran_out", started_at),
        ("server_error", started_at),
        ("accepted", kept[2].started_at),
    ]
    assert kept[0].answered_at is None


def test_a_late_acceptance_of_the_first_claim_needs_no_row_of_its_own(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    (claim,) = claiming.claim(broadcast_id, 1, worker="worker slow", now=studio.now)
    studio.pass_time(minutes=2)
    settling.settle([Outcome(claim, Accepted("m_late"))], now=studio.now)
    assert [t.reason for (t,) in tries(studio, broadcast_id)] == ["lease_ran_out"]
    assert studio.show(broadcast_id).counts["sent"] == 1


def test_the_export_tells_when_it_was_first_tried_and_what_came_back(studio: Studio) -> None:
    studio.people(2)
    studio.platform.fault = lambda token, nth: {1: DOUBT, 2: BUSY}.get(nth) if token == "token-0" else None
    broadcast_id, began = studio.broadcast(), studio.now
    studio.launch(broadcast_id)
    studio.send_all(rounds=3)
    rows = list(csv.DictReader(b"".join(csv_report(broadcast_id)).decode("utf-8-sig").splitlines()))
    assert [(row["first_tried_at"], row["answers"]) for row in rows] == [
        (began.isoformat(), "server_error 502; rate_limit 400 613/2534040; accepted 200"),
        ("", ""),
    ]
