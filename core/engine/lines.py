"""The queue's connections to PostgreSQL: nothing waits for one without end, docs/decisions/0016."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, LiteralString
from weakref import WeakSet

import psycopg
import structlog
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager, NotificationCallback
from sqlalchemy import make_url

from core.database import patience
from core.settings import settings

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 5.0
DEAF_SECONDS = 1.0  # from a lost ear to the next
TICK_SECONDS = 1.0
# Longer than to connect and the limits; not read off a clock: a process that was paused has missed none.
SILENT_TICKS = 20
_LIMITS = "; ".join(
    f"SET {name} = '{value}'"
    for name, value in {
        "lock_timeout": "12s",
        "statement_timeout": "14s",
        "idle_in_transaction_session_timeout": "8s",
    }.items()
)


class Lines:
    """All that one life of the queue has open, so that they can be cut from our side."""

    def __init__(self) -> None:
        self._open: WeakSet[psycopg.AsyncConnection] = WeakSet()
        self._unanswered: dict[object, int] = {}  # ticks since each statement was given

    def connector(self) -> PsycopgConnector:
        url = settings().database_url
        address = make_url(url).set(drivername="postgresql")
        waiting = self.waiting

        class Line(psycopg.AsyncConnection):
            """Counts what does not go by the connector: to listen, and to see whether it still can."""

            async def execute(self, *given: Any, **named: Any) -> Any:
                with waiting():
                    return await super().execute(*given, **named)

        return _Connector(
            waiting,
            connection_class=Line,
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

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """For the answer to one statement, a connection for it included."""
        statement = object()
        self._unanswered[statement] = 0
        try:
            yield
        finally:
            del self._unanswered[statement]

    async def cut_when_silent(self) -> None:
        """A line that is half open, or a server that hangs, answers nothing and says nothing. One is enough:
        the heart may go on beating over another while nobody takes jobs."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for statement in self._unanswered:
                self._unanswered[statement] += 1
            if max(self._unanswered.values(), default=0) >= SILENT_TICKS:
                log.warning("queue_lines_cut", open=len(self._open))
                self.cut()
                self._unanswered = dict.fromkeys(self._unanswered, 0)


class _Connector(PsycopgConnector):
    def __init__(self, waiting: Callable[[], AbstractContextManager[None]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._waiting = waiting

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        with self._waiting():
            await super().execute_query_async(query, **arguments)

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        with self._waiting():
            row: dict[str, Any] = await super().execute_query_one_async(query, **arguments)
        return row

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        with self._waiting():
            rows: list[dict[str, Any]] = await super().execute_query_all_async(query, **arguments)
        return rows


class Jobs(JobManager):
    on_end: Callable[[Job], Awaitable[None]] | None = None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        await super().finish_job(job, status, delete_job)
        if self.on_end:
            await self.on_end(job)

    async def update_heartbeat(self, worker_id: int) -> None:
        """One that fails must not be the last: the worker's beating would end with it, unnoticed."""
        try:
            await super().update_heartbeat(worker_id)
        except ConnectorException as problem:
            log.warning("queue_heartbeat_failed", error=type(problem.__cause__).__name__)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """As long as the worker lives; meanwhile it looks for jobs by itself."""
        while True:
            try:
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except ConnectorException as problem:
                log.warning("queue_deaf", error=type(problem.__cause__).__name__)
            await asyncio.sleep(DEAF_SECONDS)

    async def end(self, job_id: int | None) -> None:
        """One that nobody runs any more."""
        try:
            await self.finish_job_by_id_async(job_id or 0, Status.FAILED, delete_job=True)
        except ConnectorException:
            log.info("job_was_gone", job=job_id)  # another worker, or its own end, was quicker
