"""Moments that have gone wrong before: late hours, jumping clocks, foreign keys, stale hands."""

from __future__ import annotations

import threading
import time
from concurrent import futures
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, audience_builder, retry, scheduled_jobs
from core.consent.scheduled_jobs import expire_due
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Customer, Delivery, FanpageRate, Heartbeat, OptIn, Reply
from core.encryption import CannotDecrypt
from core.errors import WrongState
from core.messenger.errors import Failure, NextStep
from core.sending import claims, timetable, work_snapshot
from core.sending.calls.grouping import Call, Returned
from core.sending.claiming import SlotsMoved
from core.sending.claims import LEASE, Claim
from core.sending.loop import SendingLoop
from core.sending.replies.settling import ReplyOutcome
from core.sending.settling import Outcome
from core.sending.timetable import Demand, SlotPosition
from tests import claiming
from tests.processes import until
from tests.sending.conftest import Studio

ODD = Failure(NextStep.END_DELIVERY, "unknown_error", 400, 4242)
CONTENT = Failure(NextStep.END_DELIVERY, "content", 400, 105)


def test_nothing_is_claimed_past_the_best_before_even_before_the_clock_has_noticed(studio: Studio) -> None:
    studio.people(5)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id, best_before=studio.now + timedelta(minutes=1))
    studio.now += timedelta(minutes=2)
    studio.loop().drain()
    assert not studio.platform.tries


def test_a_held_token_is_not_taken_by_another_broadcasts_retry(studio: Studio, opt_in_states) -> None:
    studio.people(1)
    studio.platform.fault = lambda token, nth: CONTENT if nth == 1 else ODD
    first, second = studio.broadcast(), studio.broadcast()
    for broadcast_id in (first, second):
        studio.launch(broadcast_id)
        studio.send_all(rounds=1)
    assert retry.retry_failed(COMMAND_LINE, first, now=studio.now) == 0
    assert opt_in_states() == {"reserved": 1}
    assert retry.release_undecided(COMMAND_LINE, second, now=studio.now) == 1
    assert opt_in_states() == {"available": 1}


def test_a_held_token_expires_in_the_end(studio: Studio, opt_in_states) -> None:
    studio.people(1)
    studio.platform.fault = lambda token, nth: ODD
    studio.launch(studio.broadcast())
    studio.send_all(rounds=1)
    expire_due(now=studio.now + timedelta(days=400))
    assert opt_in_states() == {"expired": 1}


def test_a_token_in_doubt_never_expires_back_into_use(studio: Studio, opt_in_states) -> None:
    studio.people(1)
    studio.platform.fault = lambda token, nth: Failure(NextStep.IN_DOUBT, "timeout")
    studio.launch(studio.broadcast())
    studio.send_all(rounds=10)
    expire_due(now=studio.now + timedelta(days=400))
    assert opt_in_states() == {"reserved": 1}


def test_a_token_sealed_with_another_key_ends_alone(studio: Studio, opt_in_states) -> None:
    opt_in_ids = studio.people(3)
    with transaction() as db:
        db.execute(update(OptIn).where(col(OptIn.id) == opt_in_ids[1]).values(token_sealed="gAAAA-foreign"))
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    shown = studio.show(broadcast_id)
    assert (shown.counts["sent"], shown.reasons) == (2, {"cannot_open": 1})
    assert opt_in_states() == {"spent": 2, "reserved": 1}


def test_a_broadcast_that_cannot_start_does_not_hold_up_the_others(studio: Studio, monkeypatch) -> None:
    studio.people(2)
    poisoned, healthy = studio.broadcast(), studio.broadcast()
    for broadcast_id in (poisoned, healthy):
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=studio.now)
    begin = audience_builder.begin

    def fails_for_one(db, broadcast, now):
        if broadcast.id == poisoned:
            raise RuntimeError("made up")
        return begin(db, broadcast, now)

    monkeypatch.setattr(audience_builder, "begin", fails_for_one)
    assert scheduled_jobs.start_due(now=studio.now) == [healthy]
    assert studio.show(poisoned).state == "scheduled"


def test_what_is_left_queued_under_an_ended_broadcast_is_swept_up(studio: Studio, opt_in_states) -> None:
    studio.people(4)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    with transaction() as db:
        stopped = {"state": "cancelled", "pause_code": "all_refused"}
        db.execute(update(Broadcast).values(updated_at=studio.now, **stopped))
    scheduled_jobs.sweep(now=studio.now)
    shown = studio.show(broadcast_id)
    assert (shown.counts["cancelled"], shown.reasons) == (4, {"all_refused": 4})
    assert opt_in_states() == {"available": 4}


def test_a_claim_kept_past_its_lease_is_put_back_rather_than_sent(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    stop = threading.Event()
    asked: list[float] = []

    def still_ours(claimed_steady: float) -> bool:  # another worker may have taken them over
        asked.append(claimed_steady)
        if len(set(asked)) > 2:  # it was claimed anew, and then again
            stop.set()
        return False

    studio.loop(stop=stop, still_ours=still_ours).drain()
    shown = studio.show(broadcast_id)
    assert not studio.platform.tries
    assert (shown.counts["queued"], shown.in_doubt) == (3, 0)


def ready_to_carry(studio: Studio) -> tuple[SendingLoop, Claim]:
    """A loop whose wire knows its connection and what there is to send, and a claim."""
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    loop = studio.loop()
    loop.connections.look_up([studio.fanpage_id])
    loop.snapshots.fresh()
    (claim,) = claiming.claim(broadcast_id, 1, worker="worker a", now=studio.now)
    return loop, claim


def test_what_waited_too_long_for_a_thread_stays_here(studio: Studio) -> None:
    loop, claim = ready_to_carry(studio)
    studio.reply()
    (reply_claim,) = claiming.claim_replies(studio.fanpage_id, 1, worker="worker a", now=studio.now)
    half_a_lease = LEASE.total_seconds() / 2
    for mine, kind in ((claim, Outcome), (reply_claim, ReplyOutcome)):
        late = replace(mine, claimed_steady=time.monotonic() - half_a_lease)
        assert loop.runner.carry([late]) == [late]
        (landed,) = loop.runner.carry([replace(mine, claimed_steady=time.monotonic() - half_a_lease / 2)])
        assert isinstance(landed, kind)


def test_a_snapshot_counts_only_once_it_has_been_read(studio: Studio, monkeypatch) -> None:
    loop, claim = ready_to_carry(studio)
    snapshots = loop.snapshots
    before = snapshots.latest
    snapshots.latest = replace(before, at=before.at - 60)  # frozen for a minute
    carried: list[Future[list[Returned]]] = []
    waited: list[bool] = []

    def slowly_reading():
        if not carried:
            carried.append(studio.call_threads.submit(loop.runner.carry, [claim]))
            waited.append(not futures.wait(carried, timeout=0.3).done)
        return reading()

    monkeypatch.setattr(work_snapshot, "reading", slowly_reading)
    snapshots.fresh()
    (landed,) = carried[0].result(timeout=20)
    assert waited == [True]
    assert isinstance(landed, Outcome)


def test_a_call_does_not_wait_for_the_next_snapshot_while_the_latest_is_young(
    studio: Studio, monkeypatch
) -> None:
    loop, claim = ready_to_carry(studio)
    snapshots = loop.snapshots
    carried: list[list[Returned]] = []

    def slowly_reading():
        snapshots.latest = replace(snapshots.latest, at=time.monotonic())
        carried.append(studio.call_threads.submit(loop.runner.carry, [claim]).result(timeout=20))
        return reading()

    monkeypatch.setattr(work_snapshot, "reading", slowly_reading)
    snapshots.fresh(0.0)
    ((landed,),) = carried
    assert isinstance(landed, Outcome)


def test_a_snapshot_that_cannot_be_read_keeps_a_call_here_and_casts_no_doubt(
    studio: Studio, monkeypatch
) -> None:
    loop, claim = ready_to_carry(studio)
    snapshots = loop.snapshots
    snapshots.latest = replace(snapshots.latest, at=snapshots.latest.at - 60)

    def made_up():
        raise RuntimeError("made up")

    with monkeypatch.context() as patch:
        patch.setattr(work_snapshot, "reading", made_up)
        assert loop.runner.carry([claim]) == [claim]
        loop.calls.add([(0.0, [claim])], known_delay=0.0)
        returned: list[tuple[Call, list[Returned]]] = []
        until(lambda: returned.extend(loop.calls.take_returned()) or returned, what="the call is back")
    assert returned == [([claim], [claim])]
    loop.unsettled.take_in([claim])
    loop.drain()
    assert studio.show(claim.broadcast_id).counts["sent"] == 1
    assert set(studio.platform.tries.values()) == {1}
    assert studio.show(claim.broadcast_id).in_doubt == 0


def test_a_broken_connection_to_messenger_stops_the_fanpage_and_casts_no_doubt(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    no_token = WrongState("This fanpage has no access token.")
    studio.loop(find_connections=lambda ids: dict.fromkeys(ids, no_token)).drain()
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code, shown.counts["queued"]) == ("paused", "token_invalid", 3)
    assert shown.in_doubt == 0


def test_a_worker_with_another_key_leaves_the_fanpage_to_those_with_the_right_one(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    another_key = CannotDecrypt("A sealed secret cannot be opened.")
    studio.loop(
        worker="worker with another key", find_connections=lambda ids: dict.fromkeys(ids, another_key)
    ).drain()
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["queued"]) == ("sending", 3)
    studio.loop().drain()
    assert studio.show(broadcast_id).counts["sent"] == 3


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_an_hour_stops_nothing(studio: Studio, hours: int) -> None:
    studio.people(8)
    studio.platform.fault = lambda token, nth: (
        Failure(NextStep.RETRY_LATER, "temporary", 400, 2) if nth == 1 and token > "token-3" else None
    )
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.loop().drain()
    studio.now += timedelta(hours=hours)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["sent"] == 8


def test_claims_of_a_dead_worker_are_taken_over_although_the_clock_jumped_back(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    claiming.claim(broadcast_id, 3, worker="worker dead", now=studio.now)
    with transaction() as db:
        db.add(Heartbeat(process="worker dead", at=studio.now, started_at=studio.now))
    assert claims.take_over_lost(now=studio.now - timedelta(hours=1)) == 3


def test_a_living_workers_claims_are_left_alone(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    claiming.claim(broadcast_id, 3, worker="worker a", now=studio.now)
    later = studio.now + timedelta(seconds=20)
    with transaction() as db:
        db.add(Heartbeat(process="worker a", at=later, started_at=studio.now))
    assert claims.take_over_lost(now=later) == 0


def test_what_is_handed_back_late_never_moves_another_workers_claim(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    (mine,) = claiming.claim(broadcast_id, 1, worker="worker a", now=studio.now)
    studio.now += timedelta(minutes=2)
    claims.take_over_lost(now=studio.now)
    studio.now += timedelta(minutes=2)
    (theirs,) = claiming.claim(broadcast_id, 1, worker="worker b", now=studio.now)
    claims.hand_back([mine], worker="worker a", now=studio.now)
    assert studio.show(broadcast_id).counts["sending"] == 1
    assert theirs.in_doubt


def test_slots_begin_anew_after_a_pause_and_follow_each_other_without_one() -> None:
    begins, lane, found = 1000.0, SlotPosition(1000.0), []
    for after in (0.0, 0.0, 0.14, 5.0):
        departures = timetable.send_times(lane, Demand(100.0), 5, now=begins + after)
        lane = departures.position
        found.append((round(departures.times[0] - begins, 3), round(lane.slot - begins, 3)))
    assert found == [(0.0, 0.05), (0.05, 0.1), (0.14, 0.15), (5.0, 5.05)]


def next_slot(studio: Studio) -> float:
    with reading() as db:
        return db.get_one(FanpageRate, studio.fanpage_id).next_free


def test_slots_are_reserved_once_whoever_else_sends(studio: Studio) -> None:
    studio.people(10)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    mine, theirs = (claiming.wanted(studio.fanpage_id, 5, [broadcast_id]) for _ in range(2))
    (taken,) = claiming.claim_of(mine, worker="worker a", now=studio.now)
    assert (len(taken.claims), next_slot(studio)) == (5, pytest.approx(taken.slot_in_row))
    with pytest.raises(SlotsMoved):
        claiming.claim_of(theirs, worker="worker b", now=studio.now)
    assert studio.show(broadcast_id).counts["queued"] == 5
    assert next_slot(studio) == pytest.approx(taken.slot_in_row)


def test_a_slot_in_the_far_future_is_the_trace_of_a_clock_jump(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    at = studio.now.timestamp()
    with transaction() as db:
        db.get_one(FanpageRate, studio.fanpage_id).next_free = at + 3600
    studio.loop().drain()
    assert studio.show(broadcast_id).counts["sent"] == 1
    assert next_slot(studio) < at + 60


def reply(studio: Studio, customer_id: int, **values: object) -> int:
    row = Reply(
        fanpage_id=studio.fanpage_id, customer_id=customer_id, body={"text": "Chào!"}, created_at=studio.now
    )
    for name, value in values.items():
        setattr(row, name, value)
    return studio.arrange.save(row)


def test_replies_keep_their_order_and_leave_only_inside_the_window(studio: Studio) -> None:
    soon = studio.now + timedelta(hours=1)
    inside = studio.arrange.customer(studio.fanpage_id, window_closes_at=soon)
    outside = studio.arrange.customer(studio.fanpage_id, window_closes_at=studio.now - timedelta(hours=1))
    ids = [reply(studio, inside, body={"text": f"{n}"}) for n in range(3)]
    late = reply(studio, outside)
    studio.loop().drain()
    assert [body["message"]["text"] for body in studio.platform.to_psids] == ["0", "1", "2"]
    with transaction() as db:
        assert {db.get_one(Reply, i).state for i in ids} == {"sent"}
        assert (db.get_one(Reply, late).state, db.get_one(Reply, late).reason) == ("skipped", "window_closed")


def test_a_reply_whose_worker_died_is_never_sent_again(studio: Studio) -> None:
    soon = studio.now + timedelta(hours=1)
    customer_id = studio.arrange.customer(studio.fanpage_id, window_closes_at=soon)
    reply_id = reply(studio, customer_id)
    claiming.claim_replies(studio.fanpage_id, 1, worker="worker dead", now=studio.now)
    studio.send_all(rounds=1)
    studio.send_all(rounds=1)
    assert not studio.platform.to_psids
    with transaction() as db:
        assert db.get_one(Reply, reply_id).state == "unknown"


def test_a_customer_who_cannot_be_reached_does_not_use_up_the_allowance(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    with transaction() as db:
        firm = {"unreachable_at": studio.now, "unreachable_firm_at": studio.now}
        db.execute(update(Customer).values(unreachable_code="blocked", **firm))
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).state == "finished"


def test_the_index_refuses_a_second_live_delivery_of_one_opt_in(studio: Studio) -> None:
    from sqlalchemy.exc import IntegrityError

    (opt_in_id,) = studio.people(1)
    studio.launch(studio.broadcast())
    other = studio.broadcast()
    with transaction() as db:
        customer_id = db.get_one(OptIn, opt_in_id).customer_id
    with pytest.raises(IntegrityError):
        studio.arrange.save(
            Delivery(broadcast_id=other, customer_id=customer_id, opt_in_id=opt_in_id, state="queued")
        )
