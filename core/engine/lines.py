"""The queue's connections to PostgreSQL: nothing waits for one without end, docs/decisions/0016."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from weakref import WeakSet

import psycopg
import structlog
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from sqlalchemy import make_url

from core.database import patience
from core.settings import settings

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 5.0
TICK_SECONDS = 1.0
SILENT_TICKS = 20  # counted, not read off a clock: a process that was paused has missed none
_LIMITS = "; ".join(
    f"SET {name} = '{value}'"
    for name, value in {
        "lock_timeout": "15s",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "8s",
    }.items()
)


class Lines:
    """All that one life of the queue has open, so that they can be cut from our side."""

    def __init__(self) -> None:
        self._open: WeakSet[psycopg.AsyncConnection] = WeakSet()

    def connector(self) -> PsycopgConnector:
        url = settings().database_url
        address = make_url(url).set(drivername="postgresql")
        return PsycopgConnector(
            conninfo=address.render_as_string(hide_password=False),
            kwargs=patience(url),
            configure=self._prepare,
            min_size=1,
            max_size=4,
            timeout=RECONNECT_SECONDS,
        )

    async def _prepare(self, connection: psycopg.AsyncConnection) -> None:
        self._open.add(connection)
        commits_itself = connection.autocommit
        await connection.set_autocommit(True)
        await connection.execute(_LIMITS)
        await connection.set_autocommit(commits_itself)

    def cut(self) -> None:
        """Whoever waits for an answer hears at once that none will come."""
        for line in list(self._open):
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(line.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    async def cut_when_silent(self, jobs: Jobs) -> None:
        """A line that is half open, or a server that hangs, answers nothing and says nothing."""
        seen, silent = jobs.beats, 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            silent = silent + 1 if jobs.beats == seen else 0
            seen = jobs.beats
            if silent >= SILENT_TICKS:
                log.warning("queue_lines_cut", open=len(self._open))
                self.cut()


class Jobs(JobManager):
    beats = 0  # signs of life that the database has taken
    on_end: Callable[[Job], Awaitable[None]] | None = None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        await super().finish_job(job, status, delete_job)
        if self.on_end:
            await self.on_end(job)

    async def update_heartbeat(self, worker_id: int) -> None:
        await super().update_heartbeat(worker_id)
        self.beats += 1

    async def end(self, job_id: int | None) -> None:
        """One that nobody runs any more."""
        try:
            await self.finish_job_by_id_async(job_id or 0, Status.FAILED, delete_job=True)
        except ConnectorException:
            log.info("job_was_gone", job=job_id)  # another worker, or its own end, was quicker
