"""Decides how many messages each fanpage may claim now, when each of them leaves, and whose turn it is.

Pure: times are seconds of one steady clock, rates are messages per second. docs/decisions/0040.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

LOOK_AHEAD_SECONDS = 0.75  # what leaves within it is claimed ahead of its time
CATCH_UP_SECONDS = 1.0  # lateness beyond it is forgotten: the slots begin anew
MAKE_UP = 1.025  # late messages follow each other so much faster than the rate
# Messages leave together at ticks, those of many fanpages in one call. Ticks are so short that a fanpage
# never sends more than its rate and one batch (a tenth of the rate) in any one second.
TICK_SECONDS, SLOW_TICK_SECONDS, SLOW_RATE = 0.05, 0.25, 3.0
ALMOST = 1e-6  # of a message or a tick: what reckoning with floating-point times may be off by
# A fanpage has at most so many seconds of its messages unanswered, or so many messages if that is more.
IN_FLIGHT_SECONDS, IN_FLIGHT_LEAST = 5.0, 100


@dataclass(frozen=True, slots=True)
class SlotPosition:
    """Where one fanpage stands: its next free send slot, and the moment before which nothing more leaves."""

    slot: float
    not_before: float = -math.inf


@dataclass(frozen=True, slots=True)
class Demand:
    """What one fanpage may send: its rate now (messages per second), and how many are still unanswered."""

    rate: float
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class SendTimes:
    """When claimed messages leave, earliest first, and where the fanpage stands after them."""

    times: tuple[float, ...]
    position: SlotPosition


def plan(
    positions: Mapping[int, SlotPosition], demands: Mapping[int, Demand], *, now: float, room: int
) -> dict[int, int]:
    """Return how many messages each fanpage may claim now, at most `room` in all.

    When `room` is short, the fanpage that is farthest behind comes first. One that may claim none is left
    out.
    """
    counts: dict[int, int] = {}
    for key in sorted(demands, key=lambda each: positions[each].slot):
        count = min(_due(positions[key], demands[key], now), room)
        if count > 0:
            counts[key] = count
            room -= count
    return counts


def is_near(position: SlotPosition, rate: float, *, now: float) -> bool:
    """Whether a fanpage may have a message that leaves within the look-ahead: a cheap first answer that
    spares most fanpages the exact reckoning of `plan`."""
    return position.slot <= now + LOOK_AHEAD_SECONDS or position.slot > now + LOOK_AHEAD_SECONDS + 1.0 / rate


def send_times(position: SlotPosition, demand: Demand, count: int, *, now: float) -> SendTimes:
    """Return when `count` messages leave: each at its slot, late ones 2.5 % faster than the rate."""
    step, apart = 1.0 / demand.rate, 1.0 / (demand.rate * MAKE_UP)
    slot, not_before = _first_slot(position, demand, now), _not_before(position, demand, now)
    times = []
    for number in range(count):
        leaves = max(slot + number * step, not_before)
        times.append(leaves)
        not_before = leaves + apart
    return SendTimes(tuple(times), SlotPosition(slot + count * step, not_before))


def tick(leaves: float, rate: float) -> float:
    """Return the tick at which a message leaves together with others, the next one after its own moment."""
    length = SLOW_TICK_SECONDS if rate <= SLOW_RATE else TICK_SECONDS
    return round(math.ceil(leaves / length - ALMOST) * length, 6)  # the same, however it was reckoned


def delayed(position: SlotPosition, seconds: float) -> SlotPosition:
    """Return where a fanpage stands when all that it had claimed leaves this many seconds later."""
    return replace(position, not_before=position.not_before + seconds)


def share(count: int, offered: Sequence[int], *, turn: int) -> list[int]:
    """Return how many of `count` messages each of a fanpage's broadcasts sends: equal shares, as far as each
    has something to send.

    `offered` is how many each could send; `turn` says which of them gets the odd message.
    """
    if len(offered) == 1:  # nearly always
        return [min(count, offered[0])]
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


def _due(position: SlotPosition, demand: Demand, now: float) -> int:
    """How many messages leave before the look-ahead ends, when `send_times` spaces them."""
    ends = _horizon(now)
    slot, not_before = _first_slot(position, demand, now), _not_before(position, demand, now)
    if max(slot, not_before) > ends:
        return 0
    by_slots = math.floor((ends - slot) * demand.rate + ALMOST) + 1
    by_opening = math.floor((ends - not_before) * demand.rate * MAKE_UP + ALMOST) + 1
    most = max(IN_FLIGHT_LEAST, int(demand.rate * IN_FLIGHT_SECONDS))
    return max(0, min(by_slots, by_opening, most - demand.unanswered))


def _horizon(now: float) -> float:
    """The end of the look-ahead, at a tick of slow and of fast fanpages: no tick is filled twice."""
    return math.floor((now + LOOK_AHEAD_SECONDS) / SLOW_TICK_SECONDS) * SLOW_TICK_SECONDS


def _first_slot(position: SlotPosition, demand: Demand, now: float) -> float:
    """The position's next slot; or now, when that slot means nothing any more: after a pause, a jump of the
    clock, or a higher rate."""
    is_sound = now - CATCH_UP_SECONDS <= position.slot <= _farthest(demand, now)
    return position.slot if is_sound else now


def _not_before(position: SlotPosition, demand: Demand, now: float) -> float:
    """The moment before which nothing more leaves: now at the earliest, and no farther than a slot can be."""
    return min(max(position.not_before, now), _farthest(demand, now))


def _farthest(demand: Demand, now: float) -> float:
    """The farthest slot that can have been claimed at this rate."""
    return now + LOOK_AHEAD_SECONDS + 1.0 / demand.rate
