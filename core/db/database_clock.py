"""The clock by which all workers go. On PostgreSQL it is the database's."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog
from sqlalchemy import func, select
from sqlmodel import Session

from core.clock import utc_now
from core.db.engine import engine, is_sqlite, reading

log = structlog.get_logger(__name__)

SLOW_SECONDS = 0.25  # an answer that took longer is too inexact
SAME_SECONDS = 1.0  # a smaller difference is no jump of the clock


class Clock:
    """Tells the time in UTC when it is called: that of this machine, for SQLite, which all processes use on
    one machine."""

    def __call__(self) -> datetime:
        return utc_now()

    def measure(self) -> None:
        """Compare with the database's clock, if that is another; called every few seconds."""


class DatabaseClock(Clock):
    """The time of the database, counted on by our monotonic clock since it was last read. The wall clock of
    this machine is never used, so it does no harm when it is wrong or jumps."""

    def __init__(self) -> None:
        self._ahead: float | None = None  # seconds since 1970 less the steady clock

    def __call__(self) -> datetime:
        if self._ahead is None:
            self.measure()
        return datetime.fromtimestamp(time.monotonic() + (self._ahead or 0.0), UTC)

    def measure(self) -> None:
        with reading() as db:
            db.connection()  # connecting is not part of the answer
            asked = time.monotonic()
            said = db.execute(select(func.clock_timestamp())).scalar_one()
            heard = time.monotonic()
        ahead = said.timestamp() - (asked + heard) / 2
        if self._ahead is not None and heard - asked > SLOW_SECONDS:
            return
        if self._ahead is not None and abs(ahead - self._ahead) > SAME_SECONDS:
            log.warning("database_clock_jumped", seconds=round(ahead - self._ahead))
        self._ahead = ahead


def now_for_workers(db: Session, now: datetime) -> datetime:
    """The present for workers, too: `now`, or the database's time where the clock of this machine is ahead of
    it. What is due at that time is due for them at once."""
    return now if is_sqlite(db) else min(now, db.execute(select(func.clock_timestamp())).scalar_one())


def clock() -> Clock:
    """The clock that fits the database."""
    return Clock() if engine().dialect.name == "sqlite" else DatabaseClock()
