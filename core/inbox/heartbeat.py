"""The webhook server's sign of life, for the health page."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import col

from core.database import transaction
from core.db import bulk
from core.tables import Heartbeat

PREFIX = "webhook "
FORGOTTEN_AFTER = timedelta(days=1)  # a process that ended without saying so


def beat(process: str, *, started_at: datetime, now: datetime) -> None:
    """`process` is "webhook host:pid"."""
    with transaction() as db:
        db.execute(bulk.insert_new(Heartbeat), [{"process": process, "at": now, "started_at": started_at}])
        db.execute(update(Heartbeat).where(col(Heartbeat.process) == process).values(at=now))
        long_silent = col(Heartbeat.process).startswith(PREFIX) & (col(Heartbeat.at) < now - FORGOTTEN_AFTER)
        db.execute(delete(Heartbeat).where(long_silent))


def fall_silent(process: str) -> None:
    with transaction() as db:
        db.execute(delete(Heartbeat).where(col(Heartbeat.process) == process))
