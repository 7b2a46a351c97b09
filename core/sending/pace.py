"""The pace of a fanpage, exact across threads and processes: one row, one statement reserves n slots.

`next_free` is the next free slot in seconds since 1970. Whoever reserves is told when to send.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, bindparam, case, update
from sqlmodel import Session, col

from core.database import transaction
from core.db import bulk
from core.tables import Pace

CLIMB_SECONDS = 120.0  # from a standstill back to the full rate
LOWEST_FACTOR = 0.05
HALVE_AT_MOST_EVERY = 3.0  # one burst of refusals is one signal
CATCH_UP_SECONDS = 0.5  # a fanpage changes hands faster; what is late leaves little by little (Gate)
FARTHEST_AHEAD = 120.0  # seconds; a slot farther away is the trace of a clock that jumped back


@dataclass(frozen=True)
class Speed:
    rate: float  # messages per second now
    held_until: float  # seconds since 1970; nothing leaves before


def speed_now(
    rate: int, held_until: float, held_at: float, factor: float, factor_at: float, *, at: float
) -> Speed:
    """From a fanpage's rate and its pace row. A hold said in the future is the trace of a clock jump."""
    held = held_until if held_at <= at + FARTHEST_AHEAD else 0.0
    return Speed(rate * _factor(factor, factor_at, at), held)


def is_held(at: Any) -> ColumnElement[bool]:
    """Whether the fanpage of a pace row may send nothing now."""
    return and_(col(Pace.held_until) > at, col(Pace.held_at) <= at + FARTHEST_AHEAD)


def _factor(factor: float, since: float, at: float) -> float:
    climbed = max(0.0, at - since) / CLIMB_SECONDS
    return max(LOWEST_FACTOR, min(1.0, factor + climbed))


def reserve(fanpage_id: int, count: int, speed: Speed, *, at: float) -> tuple[float, float]:
    """Reserve `count` slots; returns when the first may leave and when the one after the last could (seconds
    since 1970). A reservation that comes a little late keeps its slot; after a longer pause the slots begin
    anew."""
    seconds = count / speed.rate
    given = {
        "fanpage": fanpage_id,
        "seconds": seconds,
        "begin": max(at, speed.held_until),
        "earliest": max(at - CATCH_UP_SECONDS, speed.held_until),
        "latest": at + FARTHEST_AHEAD,
    }
    with transaction() as db:
        upto = float(_reserving().run(db, given).scalar_one())
    return upto - seconds, upto


@cache
def _reserving() -> bulk.Ready:
    """Built once: building costs more than asking."""
    next_free, begin = col(Pace.next_free), bindparam("begin", type_=Float(53))
    earliest, latest = bindparam("earliest", type_=Float(53)), bindparam("latest", type_=Float(53))
    is_running = and_(next_free >= earliest, next_free <= latest)
    upto = case((is_running, next_free), else_=begin) + bindparam("seconds", type_=Float(53))
    mine = col(Pace.fanpage_id) == bindparam("fanpage")
    return bulk.Ready(update(Pace).where(mine).values(next_free=upto).returning(next_free))


def give_back(fanpage_id: int, *, upto: float, begin: float) -> None:
    """Slots from `begin` on that will not be used, unless others have reserved behind them, `upto` being what
    their reservation returned."""
    with transaction() as db:
        _giving_back().run(db, {"fanpage": fanpage_id, "upto": upto, "begin": begin})


@cache
def _giving_back() -> bulk.Ready:
    upto, begin = bindparam("upto", type_=Float(53)), bindparam("begin", type_=Float(53))
    mine = col(Pace.fanpage_id) == bindparam("fanpage")
    return bulk.Ready(update(Pace).where(mine, col(Pace.next_free) == upto).values(next_free=begin))


def slow_down(db: Session, fanpage_id: int, *, at: float, hold_seconds: float) -> None:
    """The platform says too fast: hold, halve, then climb back slowly."""
    pace = db.get_one(Pace, fanpage_id, with_for_update=True)
    if at - pace.factor_at > HALVE_AT_MOST_EVERY or pace.factor_at > at:
        pace.factor = max(LOWEST_FACTOR, _factor(pace.factor, pace.factor_at, at) / 2)
        pace.factor_at = at
    hold(db, fanpage_id, at=at, seconds=hold_seconds)


def hold(db: Session, fanpage_id: int, *, at: float, seconds: float) -> None:
    """Nothing of the fanpage leaves for so long."""
    pace = db.get_one(Pace, fanpage_id, with_for_update=True)
    standing = pace.held_until if pace.held_at <= at else 0.0
    pace.held_until, pace.held_at = max(standing, at + seconds), at
