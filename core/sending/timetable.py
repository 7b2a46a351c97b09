"""Decides how many messages each fanpage may claim now, when each of them leaves, and whose turn it is.

Pure: times are seconds of one steady clock, rates are messages per second. docs/decisions/0040.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

LOOK_AHEAD_SECONDS = 0.75  # what leaves within it is claimed by now, so that no transaction delays it
CATCH_UP_SECONDS = 1.0  # lateness beyond it is forgotten: the slots begin anew
MAKE_UP = 1.025  # late messages follow each other so much faster than the rate
# Messages leave together at ticks, those of many fanpages in one call. A second holds so many ticks and one
# more that a fanpage never sends more than its rate and one batch (a tenth of the rate) in any one second.
TICK_SECONDS, SLOW_TICK_SECONDS, SLOW_RATE = 0.05, 0.25, 3.0
ALMOST = 1e-6  # of a message or a tick; times are reckoned with
IN_FLIGHT_SECONDS, IN_FLIGHT_LEAST = 2.4, 48  # of its messages a fanpage may have unanswered


@dataclass(frozen=True, slots=True)
class Lane:
    """Where one fanpage stands: its next free slot, and before which moment nothing more leaves."""

    slot: float
    opens: float = -math.inf


@dataclass(frozen=True, slots=True)
class Demand:
    """What one fanpage would send: its rate now, and how many of its messages are unanswered."""

    rate: float
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Departures:
    """When claimed messages leave, earliest first, and where the fanpage stands after them."""

    times: tuple[float, ...]
    lane: Lane


def plan(
    lanes: Mapping[int, Lane], demands: Mapping[int, Demand], *, now: float, room: int
) -> dict[int, int]:
    """Return how many messages each fanpage may claim now, `room` in all; the one most behind comes first."""
    counts: dict[int, int] = {}
    for key in sorted(demands, key=lambda each: lanes[each].slot):
        count = min(_due(lanes[key], demands[key], now), room)
        if count > 0:
            counts[key] = count
            room -= count
    return counts


def is_near(lane: Lane, rate: float, *, now: float) -> bool:
    """Whether a fanpage may have a message that leaves within the look-ahead: a quick answer for most."""
    return lane.slot <= now + LOOK_AHEAD_SECONDS or lane.slot > now + LOOK_AHEAD_SECONDS + 1.0 / rate


def depart(lane: Lane, demand: Demand, count: int, *, now: float) -> Departures:
    """Return when `count` messages leave: each at its slot, late ones a little faster than the rate."""
    step, apart = 1.0 / demand.rate, 1.0 / (demand.rate * MAKE_UP)
    slot, opens = _first_slot(lane, demand, now), _opens(lane, demand, now)
    times = []
    for number in range(count):
        leaves = max(slot + number * step, opens)
        times.append(leaves)
        opens = leaves + apart
    return Departures(tuple(times), Lane(slot + count * step, opens))


def tick(leaves: float, rate: float) -> float:
    """Return the moment at which a message leaves together with others: never before its own."""
    length = SLOW_TICK_SECONDS if rate <= SLOW_RATE else TICK_SECONDS
    return round(math.ceil(leaves / length - ALMOST) * length, 6)  # the same, however it was reckoned


def delayed(lane: Lane, seconds: float) -> Lane:
    """Return where a fanpage stands when all that it had claimed leaves so much later."""
    return replace(lane, opens=lane.opens + seconds)


def share(count: int, offered: Sequence[int], *, turn: int) -> list[int]:
    """Return how many of `count` each of a fanpage's broadcasts sends: in turn, one each, while it has some.

    `offered` is how many each could send; `turn` says which of them begins.
    """
    taken = [0] * len(offered)
    order = [(turn + place) % len(offered) for place in range(len(offered))]
    left = min(count, sum(offered))
    while left > 0:
        open_ones = [place for place in order if taken[place] < offered[place]]
        each = max(1, min(left // len(open_ones), min(offered[p] - taken[p] for p in open_ones)))
        for place in open_ones[:left]:
            taken[place] += each
            left -= each
    return taken


def _due(lane: Lane, demand: Demand, now: float) -> int:
    """How many leave before the look-ahead ends, as `depart` would let them."""
    ends = _horizon(now)
    slot, opens = _first_slot(lane, demand, now), _opens(lane, demand, now)
    if max(slot, opens) > ends:
        return 0
    by_slots = math.floor((ends - slot) * demand.rate + ALMOST) + 1
    by_gate = math.floor((ends - opens) * demand.rate * MAKE_UP + ALMOST) + 1
    most = max(IN_FLIGHT_LEAST, int(demand.rate * IN_FLIGHT_SECONDS))
    return max(0, min(by_slots, by_gate, most - demand.unanswered))


def _horizon(now: float) -> float:
    """The last tick of all that the look-ahead reaches: no tick is filled in two parts."""
    return math.floor((now + LOOK_AHEAD_SECONDS) / SLOW_TICK_SECONDS) * SLOW_TICK_SECONDS


def _first_slot(lane: Lane, demand: Demand, now: float) -> float:
    """The lane's next slot, or now where it says nothing any more: after a pause, after the clock jumped, or
    when the rate was raised."""
    is_sound = now - CATCH_UP_SECONDS <= lane.slot <= _farthest(demand, now)
    return lane.slot if is_sound else now


def _opens(lane: Lane, demand: Demand, now: float) -> float:
    return min(max(lane.opens, now), _farthest(demand, now))


def _farthest(demand: Demand, now: float) -> float:
    """No slot was ever claimed beyond it at this rate."""
    return now + LOOK_AHEAD_SECONDS + 1.0 / demand.rate
