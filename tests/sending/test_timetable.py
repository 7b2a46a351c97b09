"""The timetable as a whole: a day of turns, played through with its own clock."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from core.sending import timetable
from core.sending.loop import CLAIM_SECONDS
from core.sending.timetable import Demand, SlotPosition

RATES = st.one_of(st.integers(1, 300), st.floats(0.5, 300))
BEGIN = 1000.0


@st.composite
def pauses_between_claims(draw: st.DrawFn) -> list[float]:
    """A claim at each multiple of its time, or a little later, and in between when the loop is woken."""
    moments = [BEGIN]
    for number in range(1, draw(st.integers(15, 40))):
        woken = draw(st.lists(st.floats(0.05, 0.45), max_size=2))
        moments += [moments[0] + (number - 1) * CLAIM_SECONDS + each for each in woken]
        moments.append(BEGIN + number * CLAIM_SECONDS + draw(st.floats(0.0, 0.2)))
    moments.sort()
    return [*(later - each for each, later in itertools.pairwise(moments)), CLAIM_SECONDS]


PAUSES = st.one_of(pauses_between_claims(), st.lists(st.floats(0.02, 0.3), min_size=20, max_size=60))


def play(rates: dict[int, float], pauses: list[float], *, begin: float = 1000.0, room: int = 10**6):
    """Turn after turn while there is always enough to send; returns when each fanpage's messages left."""
    left: dict[int, list[float]] = defaultdict(list)
    positions = {key: SlotPosition(begin) for key in rates}
    now = begin
    for pause in pauses:
        demands = {key: Demand(rate) for key, rate in rates.items()}
        for key, count in timetable.plan(positions, demands, now=now, room=room).items():
            found = timetable.send_times(positions[key], demands[key], count, now=now)
            positions[key] = found.position
            left[key] += [timetable.tick(each, rates[key]) for each in found.times]
        now += pause
    return left, now


def fullest_second(times: list[float]) -> int:
    """Of any second that begins with a departure; the clock's own rounding counts for the fanpage."""
    return max(bisect_left(times, begin + 1.0 - 1e-6) - place for place, begin in enumerate(times))


def limit(rate: float) -> int:
    """At most the rate and one batch in any second, a batch being a tenth of the rate."""
    return math.ceil(rate) + max(1, int(rate / 10))


@settings(deadline=None, max_examples=50)
@given(RATES, PAUSES)
def test_no_second_holds_more_than_the_rate_and_a_batch(rate: float, pauses: list[float]) -> None:
    left, _ = play({1: rate}, pauses)
    assert fullest_second(left[1]) <= limit(rate)


@settings(deadline=None, max_examples=200)
@given(RATES, st.integers(0, 20), st.floats(0.0, 0.24))
def test_a_claim_reaches_a_tick_beyond_the_next_one(rate: float, number: int, late: float) -> None:
    """So that a claim that takes as long makes no message late."""
    began = BEGIN + number * CLAIM_SECONDS
    position, demand = SlotPosition(began), Demand(rate)
    claimed = timetable.plan({1: position}, {1: demand}, now=began + late, room=10**6)[1]
    *_, first_unclaimed = timetable.send_times(position, demand, claimed + 1, now=began + late).times
    assert first_unclaimed >= began + CLAIM_SECONDS + timetable.SLOW_TICK_SECONDS - 1e-6


@settings(deadline=None, max_examples=50)
@given(RATES, PAUSES)
def test_while_work_is_waiting_a_fanpage_keeps_its_rate(rate: float, pauses: list[float]) -> None:
    left, ended = play({1: rate}, pauses)
    reached = ended - pauses[-1] + timetable.LOOK_AHEAD_SECONDS - timetable.SLOW_TICK_SECONDS - 1000.0
    assert abs(len(left[1]) - reached * rate) <= 1 + timetable.SLOW_TICK_SECONDS * rate


@settings(deadline=None, max_examples=50)
@given(RATES, PAUSES)
def test_nothing_leaves_before_its_turn_or_out_of_order(rate: float, pauses: list[float]) -> None:
    left, _ = play({1: rate}, pauses)
    assert left[1] == sorted(left[1])
    assert left[1][0] >= 1000.0


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.integers(1, 40), RATES, min_size=2, max_size=20), PAUSES)
def test_a_fanpage_sends_as_fast_beside_others_as_alone(rates: dict[int, float], pauses: list[float]) -> None:
    together, _ = play(rates, pauses)
    for key, rate in rates.items():
        alone, _ = play({key: rate}, pauses)
        assert together[key] == alone[key]


@settings(deadline=None, max_examples=50)
@given(RATES, st.floats(1.5, 60.0))
def test_after_a_stall_what_was_missed_does_not_leave_at_once(rate: float, stall: float) -> None:
    left, _ = play({1: rate}, [0.1] * 30 + [stall] + [0.1] * 40)
    assert fullest_second(left[1]) <= limit(rate)


@settings(deadline=None, max_examples=50)
@given(RATES)
def test_a_short_stall_is_made_up_little_by_little(rate: float) -> None:
    turns = [0.1] * 10 + [0.8] + [0.1] * 300
    left, ended = play({1: rate}, turns)
    assert fullest_second(left[1]) <= limit(rate)
    assert len(left[1]) >= (ended - 1000.0) * rate * 0.99 - 1


@settings(deadline=None, max_examples=50)
@given(RATES, RATES)
def test_a_changed_rate_bites_with_the_next_claim(before: float, after: float) -> None:
    position, now = SlotPosition(1000.0), 1000.0
    for _ in range(50):
        demand = Demand(before)
        count = timetable.plan({1: position}, {1: demand}, now=now, room=10**6).get(1, 0)
        position = timetable.send_times(position, demand, count, now=now).position
        now += 0.1
    changed, times = Demand(after), []
    begin = now
    for _ in range(100):
        count = timetable.plan({1: position}, {1: changed}, now=now, room=10**6).get(1, 0)
        found = timetable.send_times(position, changed, count, now=now)
        position, times = found.position, times + list(found.times)
        now += 0.1
    assert abs(len(times) - (now - begin) * after) <= 3 + 0.5 * after


@settings(deadline=None, max_examples=50)
@given(RATES, st.floats(-1e6, 1e6))
def test_a_slot_of_another_time_says_nothing(rate: float, away: float) -> None:
    """The clock jumped, or nothing was sent for long: it begins now, or within a slot's length."""
    found = timetable.send_times(SlotPosition(1000.0 + away), Demand(rate), 1, now=1000.0)
    assert 1000.0 <= found.times[0] <= 1000.0 + timetable.LOOK_AHEAD_SECONDS + 1.0 / rate


@settings(deadline=None, max_examples=50)
@given(RATES, st.integers(0, 2000))
def test_a_fanpage_whose_calls_hang_claims_no_more(rate: float, unanswered: int) -> None:
    count = timetable.plan(
        {1: SlotPosition(0.0)}, {1: Demand(rate, unanswered=unanswered)}, now=1000.0, room=10**6
    )
    most = max(timetable.IN_FLIGHT_LEAST, int(rate * timetable.IN_FLIGHT_SECONDS))
    assert count.get(1, 0) + unanswered <= max(most, unanswered)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.integers(1, 40), RATES, min_size=1, max_size=20), st.integers(0, 300))
def test_the_room_of_the_wire_is_never_exceeded(rates: dict[int, float], room: int) -> None:
    positions = {key: SlotPosition(1000.0 - key / 100) for key in rates}
    demands = {key: Demand(rate) for key, rate in rates.items()}
    counts = timetable.plan(positions, demands, now=1000.0, room=room)
    assert sum(counts.values()) <= room
    if counts and len(counts) < len(rates):  # the one most behind came first
        assert max(counts) == max(rates)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 500), st.lists(st.integers(0, 200), min_size=1, max_size=8), st.integers(0, 1000))
def test_broadcasts_share_what_their_fanpage_may_send(count: int, offered: list[int], turn: int) -> None:
    taken = timetable.share(count, offered, turn=turn)
    assert sum(taken) == min(count, sum(offered))
    assert all(t <= o for t, o in zip(taken, offered, strict=True))
    short = [t for t, o in zip(taken, offered, strict=True) if t < o]
    assert not short or max(taken) - min(short) <= 1 or max(taken) <= max(short) + 1


def test_of_two_broadcasts_neither_waits_for_the_other() -> None:
    taken = [timetable.share(1, [9, 9], turn=turn) for turn in range(4)]
    assert taken == [[1, 0], [0, 1], [1, 0], [0, 1]]
