"""Heartbeats of workers and webhook servers, and what may be concluded from them: docs/decisions/0009."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from core.db.dialects import insert_into
from core.db.engine import reading, transaction
from core.db.tables import Heartbeat

log = structlog.get_logger(__name__)

WORKER = "worker"
WEBHOOK = "webhook"
FORGOTTEN_AFTER = timedelta(days=1)  # a process that ended without saying so
SILENT_AFTER = timedelta(seconds=6.5)  # a worker without a heartbeat for so long has lost its claims
FRESH_SECONDS = 4.0  # without a heartbeat written for so long, others may take our claims
FORGET_EVERY_SECONDS = 60.0
EVERY_SECONDS = 5.0  # of a process that claims nothing


def processes_alive(now: datetime) -> Select[str]:
    """The processes with a recent heartbeat. One from the future comes from a jump of the clock and does not
    count."""
    return select(col(Heartbeat.process)).where(
        col(Heartbeat.at) > now - SILENT_AFTER, col(Heartbeat.at) < now + SILENT_AFTER
    )


def this_machine() -> str:
    """The name of this machine, as its heartbeats have it."""
    return socket.gethostname()[:80]


def list_worker_machines() -> set[str]:
    """The machines whose workers had a heartbeat lately."""
    with reading() as db:
        processes = db.scalars(select(col(Heartbeat.process)).where(is_of_kind(WORKER)))
        return {each.removeprefix(f"{WORKER} ").rsplit(":", 2)[0] for each in processes}


def is_of_kind(kind: str) -> ColumnElement[bool]:
    """Whether a heartbeat is that of a worker, or of a webhook server."""
    return col(Heartbeat.process).startswith(f"{kind} ")


def mixed_calls_are_refused(*, since: datetime) -> bool:
    """Whether a worker with a heartbeat since then has to keep the messages of fanpages in calls of their
    own."""
    refused = col(Heartbeat.mixed_refused_at).is_not(None), col(Heartbeat.at) > since
    with reading() as db:
        return db.execute(select(col(Heartbeat.process)).where(*refused).limit(1)).first() is not None


class HeartbeatWriter:
    """The heartbeat of this process."""

    def __init__(self, kind: str, clock: Callable[[], datetime]) -> None:
        self.process = f"{kind} {this_machine()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.leads = True  # of all processes of its kind, the one that has been alive for longest
        self._clock = clock
        self._beat_at = float("-inf")  # monotonic
        self._unbroken_since = float("-inf")  # monotonic; no beat has been missed since
        self._next_at = float("-inf")  # monotonic; for beat_sparingly
        self._forget_at = float("-inf")  # monotonic
        self._started_at: datetime | None = None
        self._of_its_kind = is_of_kind(kind)

    def beat(self, *, mixed_calls_are_refused: bool = False) -> None:
        """Write the heartbeat, and whether this worker has to keep fanpages apart, for the doctor to show
        (0039). Raises the errors of the database."""
        began = time.monotonic()
        if began - self._beat_at > FRESH_SECONDS:
            self._unbroken_since = began  # before others see the beat, for whom older claims are lost
        with transaction() as db:
            db.connection()  # connecting may take long; the time is read after it
            now = self._clock()
            self._write(db, now, mixed_refused_at=now if mixed_calls_are_refused else None)
            self._delete_long_silent(db, now)
            self.leads = self._is_oldest(db, now)
        self._beat_at = began

    def beat_sparingly(self) -> None:
        """Write the heartbeat at most every five seconds, however often this is called. A
        failure is logged."""
        if time.monotonic() < self._next_at:
            return
        try:
            self.beat()
        except SQLAlchemyError as problem:
            log.warning("heartbeat_failed", process=self.process, error=type(problem).__name__)
        self._next_at = time.monotonic() + EVERY_SECONDS

    def still_ours(self, claimed_steady: float) -> bool:
        """Whether no heartbeat was missed since this monotonic time: our claims from then are still ours."""
        return claimed_steady >= self._unbroken_since and self.is_fresh()

    def is_fresh(self) -> bool:
        """Whether the last heartbeat is so recent that nobody may take our claims over yet."""
        return time.monotonic() - self._beat_at < FRESH_SECONDS

    def remove(self) -> None:
        """Remove the heartbeat, so that others take over at once what we could not settle."""
        try:
            with transaction() as db:
                db.execute(delete(Heartbeat).where(col(Heartbeat.process) == self.process))
        except SQLAlchemyError as problem:
            log.warning("heartbeat_removal_failed", process=self.process, error=type(problem).__name__)

    def _write(self, db: Session, now: datetime, **more: Any) -> None:
        self._started_at = self._started_at or now
        changing = {"at": now, **more}
        insert = insert_into(Heartbeat).values(process=self.process, started_at=self._started_at, **changing)
        db.execute(insert.on_conflict_do_update(index_elements=["process"], set_=changing))

    def _delete_long_silent(self, db: Session, now: datetime) -> None:
        """Delete old heartbeats of our own kind, since webhook servers go by other clocks than workers."""
        if time.monotonic() < self._forget_at:
            return
        self._forget_at = time.monotonic() + FORGET_EVERY_SECONDS
        long_silent = col(Heartbeat.at) < now - FORGOTTEN_AFTER
        db.execute(delete(Heartbeat).where(self._of_its_kind, long_silent))

    def _is_oldest(self, db: Session, now: datetime) -> bool:
        of_our_kind = processes_alive(now).where(self._of_its_kind)
        oldest = of_our_kind.order_by(col(Heartbeat.started_at), col(Heartbeat.process)).limit(1)
        return db.execute(oldest).scalar() == self.process
