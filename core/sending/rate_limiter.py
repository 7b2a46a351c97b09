"""The rate limiter of a fanpage, exact across processes: a row with its next free slot, holds and slow-downs.

`next_free` is in seconds since 1970. When what leaves is decided by the timetable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, and_, func, update
from sqlmodel import Session, col

from core.db import bulk
from core.tables import Pace

CLIMB_SECONDS = 120.0  # from a standstill back to the full rate
LOWEST_FACTOR = 0.05
HALVE_AT_MOST_EVERY = 3.0  # one burst of refusals is one signal
FARTHEST_AHEAD = 120.0  # seconds; a hold said farther away is the trace of a clock that jumped back
SAME_SECONDS = 0.001  # the databases keep a time a little less exactly than we do


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


def move_slots(db: Session, slots: Sequence[tuple[int, float, float]]) -> bool:
    """Reserve slots of several fanpages: for each its id, the next slot that its row is known to have, and
    the one after those reserved. False when another process has moved one meanwhile: nothing may be sent."""
    return _moving().run(db, bulk.bound(sorted(slots))).rowcount == len(slots)


@cache
def _moving() -> bulk.Ready:
    """Built once: building costs more than asking."""
    given = bulk.rows_given({"fanpage": BigInteger(), "seen": Float(53), "after": Float(53)}).subquery()
    unmoved = func.abs(col(Pace.next_free) - given.c.seen) < SAME_SECONDS
    mine = col(Pace.fanpage_id) == given.c.fanpage
    return bulk.Ready(update(Pace).where(mine, unmoved).values(next_free=given.c.after))


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
