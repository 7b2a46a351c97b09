"""Where a fanpage stands, as its rate row, the loop and what is already planned say it: never two at once."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace

import pytest

from core.db.engine import reading, transaction
from core.db.tables import Fanpage, FanpageRate
from core.db.work_queue import SHARDS, shard_of
from core.sending import claiming
from core.sending.claiming import ClaimRequest, SlotsMoved
from core.sending.sharing import shards
from core.sending.sharing.shards import OwnShards
from core.sending.timetable import Demand, SlotPosition
from tests import claiming as claims
from tests.sending.conftest import Studio
from tests.sending.turn_loop import turn_until

RATE = 300.0


def launched(studio: Studio, people: int) -> int:
    studio.people(people)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id


def next_free(studio: Studio) -> float:
    with reading() as db:
        return db.get_one(FanpageRate, studio.fanpage_id).next_free


def test_for_others_the_row_says_when_the_last_planned_has_left(studio: Studio, monkeypatch) -> None:
    """Whoever takes over a fanpage that is late does not catch up beside what is still to leave."""
    broadcast_id = launched(studio, 40)
    monkeypatch.setattr(claiming, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    late = ClaimRequest(studio.fanpage_id, 40, [broadcast_id], False, SlotPosition(999.1), Demand(RATE), 0.0)
    (taken,) = claims.claim_of(late, worker="worker a", now=studio.now)
    spent = taken.times[-1] - taken.times[0]
    assert next_free(studio) - studio.now.timestamp() >= spent > 0.1


def test_what_is_planned_counts_although_the_slots_are_read_anew(studio: Studio, monkeypatch) -> None:
    launched(studio, 60)
    loop = studio.loop()
    planned: list[float] = []
    monkeypatch.setattr(
        loop.calls.schedule,
        "add",
        lambda calls, **_: planned.extend(at for at, call in calls for _ in call),
    )
    now = time.monotonic()
    late = SlotPosition(now - 0.5, now + 2)  # and planned up to there
    loop.planner.note_position(
        studio.fanpage_id, late, slot_in_row=12345.0
    )  # another has moved the row since
    turn_until(loop, lambda: bool(planned))
    assert min(planned) >= now + 2


def test_a_shard_that_was_anothers_meanwhile_turns_no_claim_away(studio: Studio, monkeypatch) -> None:
    with transaction() as db:
        db.get_one(Fanpage, studio.fanpage_id).rate = 60
    broadcast_id = launched(studio, 100)
    shard = shard_of(studio.fanpage_id)
    loop, moved = studio.loop(), moved_slots(monkeypatch)
    turn_until(loop, lambda: bool(studio.platform.accepted))
    loop.give_up(shard)
    with transaction() as db:
        db.get_one(FanpageRate, studio.fanpage_id).next_free += 0.05  # as another does
    monkeypatch.setattr(shards, "AWAY_SECONDS", -1.0)  # it had the shard for a while
    loop.take(shard, time.monotonic() + 60)
    loop.drain()
    assert studio.show(broadcast_id).counts["sent"] == 100
    assert moved == []


def test_a_shard_that_is_taken_while_the_watched_are_listed_is_not_forgotten() -> None:
    taking: list[int] = []

    def steady() -> float:
        if taking:
            own.take(taking.pop(), math.inf)
        return 100.0

    own = OwnShards(steady)
    for shard in range(SHARDS):
        own.take(shard, math.inf)
    own.give_up(7)
    taking.append(7)
    own.watched()
    assert own.watched() == list(range(SHARDS))
    assert own.may_claim(7)


def test_a_shard_that_is_given_up_is_watched_until_what_was_claimed_has_left() -> None:
    now = 100.0
    own = OwnShards(lambda: now)
    own.take(3, now + 4)
    own.give_up(3)
    assert not own.may_claim(3)
    now += shards.WATCHED_SECONDS / 2
    assert own.watched() == [3]
    now += shards.WATCHED_SECONDS
    assert own.watched() == []


def test_a_shard_is_taken_anew_only_when_others_may_have_had_it() -> None:
    now = 100.0
    own = OwnShards(lambda: now)
    assert own.take(3, now + 4) < now
    own.give_up(3)
    given_up_at = now
    now += shards.AWAY_SECONDS / 2
    assert own.take(3, now + 4) == given_up_at
    assert own.pop_taken_anew() == {3}
    own.give_up(3)
    given_up_at = now
    now += 2 * shards.AWAY_SECONDS
    assert own.take(3, now + 4) == given_up_at
    assert own.pop_taken_anew() == {3}
    assert own.pop_taken_anew() == set()


def test_a_shard_that_a_claim_has_passed_by_is_claimed_for_at_once(studio: Studio, monkeypatch) -> None:
    """It was given up with its slice, and taken again a moment later."""
    loop, woken = studio.loop(), list[int]()
    monkeypatch.setattr(loop, "wake", lambda: woken.append(1))
    loop.turn()
    loop.give_up(3)
    loop.take(3, math.inf)
    assert not woken
    loop.give_up(3)
    loop.turn(claims=False)
    loop.take(3, math.inf)
    assert not woken
    loop.give_up(3)
    loop.turn()
    loop.take(3, math.inf)
    assert woken


def moved_slots(monkeypatch: pytest.MonkeyPatch) -> list[SlotsMoved]:
    """How often a claim was turned away."""
    found: list[SlotsMoved] = []
    claim = claiming.claim

    def noting(*given: object, **more: object) -> list[claiming.ClaimedBatch]:
        try:
            return claim(*given, **more)
        except SlotsMoved as problem:
            found.append(problem)
            raise

    monkeypatch.setattr(claiming, "claim", noting)
    return found
