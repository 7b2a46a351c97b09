"""The rate limiter of each fanpage, exact across processes: a row with its next free send slot and its waits.

Times are in seconds since 1970, rates in messages per second. The row says how many slots are taken; when
each message leaves is for the timetable to decide. The table is called `pace`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import BigInteger, Float, func, select, update
from sqlmodel import Session, col

from core.db import bulk
from core.db.tables import FanpageRate

CLIMB_SECONDS = 120.0  # from a standstill back to the full rate
LOWEST_FACTOR = 0.05
HALVE_AT_MOST_EVERY = 3.0  # one burst of refusals is one signal
FARTHEST_AHEAD = 120.0  # seconds; a wait said farther away is the trace of a clock that jumped back
SAME_SECONDS = 0.001  # the databases keep a time a little less exactly than we do


@dataclass(frozen=True)
class Rate:
    """How fast a fanpage may send now."""

    per_second: float  # messages
    waits_until: float  # seconds since 1970; nothing leaves before


def rate_now(
    rate: int, held_until: float, held_at: float, factor: float, factor_at: float, *, at: float
) -> Rate:
    """The rate that follows from a fanpage's rate and its row. A wait that was set far in the future of `at`
    is the trace of a clock that jumped back, and is ignored."""
    waits_until = held_until if held_at <= at + FARTHEST_AHEAD else 0.0
    return Rate(rate * _factor(factor, factor_at, at), waits_until)


def _factor(factor: float, since: float, at: float) -> float:
    """The share of the rate in use, which climbs back to 1 after a slow-down."""
    climbed = max(0.0, at - since) / CLIMB_SECONDS
    return max(LOWEST_FACTOR, min(1.0, factor + climbed))


def move_slots(db: Session, slots: Sequence[tuple[int, float, float]]) -> set[int]:
    """Reserve send slots of several fanpages: for each its id, the next free slot that its row is believed to
    have, and the next free slot afterwards. Returns the fanpages whose row another process has moved since:
    if there are any the caller has to roll back, for no slot may be used."""
    if _moving().run(db, bulk.bound(sorted(slots))).rowcount == len(slots):
        return set()
    wanted = {fanpage_id: after for fanpage_id, _, after in slots}
    stands = col(FanpageRate.fanpage_id), col(FanpageRate.next_free)
    rows = db.execute(select(*stands).where(stands[0].in_(bulk.among(sorted(wanted)))))
    moved = {key for key, next_free in rows if abs(next_free - wanted[key or 0]) < SAME_SECONDS}
    return wanted.keys() - moved or set(wanted)


@cache
def _moving() -> bulk.CompiledStatement:
    """The statement of `move_slots`, built once: that takes longer than running it."""
    given = bulk.rows_given({"fanpage": BigInteger(), "seen": Float(53), "after": Float(53)}).subquery()
    unmoved = func.abs(col(FanpageRate.next_free) - given.c.seen) < SAME_SECONDS
    mine = col(FanpageRate.fanpage_id) == given.c.fanpage
    return bulk.CompiledStatement(update(FanpageRate).where(mine, unmoved).values(next_free=given.c.after))


def slow_down(db: Session, fanpage_id: int, *, at: float, wait_seconds: float) -> None:
    """Let the fanpage wait for so long and halve its rate, which then climbs back within two minutes. Further
    calls within three seconds only prolong the wait."""
    row = db.get_one(FanpageRate, fanpage_id, with_for_update=True)
    if at - row.factor_at > HALVE_AT_MOST_EVERY or row.factor_at > at:
        row.factor = max(LOWEST_FACTOR, _factor(row.factor, row.factor_at, at) / 2)
        row.factor_at = at
    make_wait(db, fanpage_id, at=at, seconds=wait_seconds)


def make_wait(db: Session, fanpage_id: int, *, at: float, seconds: float) -> None:
    """Let nothing of the fanpage leave for so many seconds from `at`; a longer wait in force stays."""
    row = db.get_one(FanpageRate, fanpage_id, with_for_update=True)
    in_force = row.held_until if row.held_at <= at else 0.0
    row.held_until, row.held_at = max(in_force, at + seconds), at
