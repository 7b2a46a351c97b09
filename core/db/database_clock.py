"""What time it is, for all workers alike: on PostgreSQL the database says so."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

import structlog
from sqlalchemy import func, select
from sqlmodel import Session

from core.clock import utc_now
from core.db.engine import engine, is_sqlite, reading

log = structlog.get_logger(__name__)

SLOW_SECONDS = 0.25  # an answer that took longer says too little
SAME_SECONDS = 1.0  # a difference smaller than this is no jump


class Clock(Protocol):
    def __call__(self) -> datetime: ...

    def measure(self) -> None:
        """Compare with the database, once in a while."""


class OwnClock:
    """One machine: its clock is the truth."""

    def __call__(self) -> datetime:
        return utc_now()

    def measure(self) -> None:
        pass


class DatabaseClock:
    """The database's time, told by our steady clock since we last asked. A machine whose wall clock is
    wrong, or jumps, does no harm: it is never asked."""

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
    """Now, also for the workers: the clock of the panel's machine may be ahead of theirs."""
    return now if is_sqlite(db) else min(now, db.execute(select(func.clock_timestamp())).scalar_one())


def clock() -> Clock:
    return OwnClock() if engine().dialect.name == "sqlite" else DatabaseClock()
