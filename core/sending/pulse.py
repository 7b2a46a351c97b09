"""A worker's sign of life, and what it may conclude from it: docs/decisions/0009."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, update
from sqlmodel import col

from core.database import DATABASE_TROUBLE, transaction
from core.db import bulk
from core.sending.claims import alive
from core.tables import Heartbeat

log = structlog.get_logger(__name__)

PREFIX = "worker "
FORGOTTEN_AFTER = timedelta(days=1)  # a worker that ended without saying so
FRESH_SECONDS = 4.0  # without a heartbeat written for so long, others may take our claims


class Pulse:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.process = f"{PREFIX}{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"[:120]
        self._clock = clock
        self._beat_at = float("-inf")  # monotonic
        self._unbroken_since = float("-inf")  # monotonic; no beat has been missed since
        self._started_at: datetime | None = None
        self.leads = True  # of all workers, the one that has been alive for longest

    def beat(self) -> None:
        began = time.monotonic()
        if began - self._beat_at > FRESH_SECONDS:
            self._unbroken_since = began  # before the beat is seen: older claims count as lost
        with transaction() as db:
            db.connection()  # however long that took, the others see when we were here last
            now = self._clock()
            self._started_at = self._started_at or now
            values = {"process": self.process, "at": now, "started_at": self._started_at}
            db.execute(bulk.insert_new(Heartbeat), [values])
            db.execute(update(Heartbeat).where(col(Heartbeat.process) == self.process).values(at=now))
            long_silent = col(Heartbeat.process).startswith(PREFIX), col(Heartbeat.at) < now - FORGOTTEN_AFTER
            db.execute(delete(Heartbeat).where(*long_silent))
            workers = alive(now).where(col(Heartbeat.process).startswith(PREFIX))
            oldest = workers.order_by(col(Heartbeat.started_at), col(Heartbeat.process)).limit(1)
            self.leads = db.execute(oldest).scalar() == self.process
        self._beat_at = began

    def held_since(self, taken_at: float) -> bool:
        """Whether our heartbeat has not missed a beat since then: nobody can have taken our claims."""
        return taken_at >= self._unbroken_since and self.is_fresh()

    def is_fresh(self) -> bool:
        return time.monotonic() - self._beat_at < FRESH_SECONDS

    def fall_silent(self) -> None:
        """Without our heartbeat, what we could not settle is taken over at once."""
        try:
            with transaction() as db:
                db.execute(delete(Heartbeat).where(col(Heartbeat.process) == self.process))
        except DATABASE_TROUBLE:
            log.warning("goodbye_failed", worker=self.process)
