"""How a session talks to the queue: connections with deadlines, and calls whose failure ends the session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, Protocol

from procrastinate import PsycopgConnector
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url

from core.db.postgresql import connection_timeouts
from core.settings import settings

DEADLINE_SECONDS = 4.0  # for one call to the queue


class EndableSession(Protocol):
    """What the calls have to know of the session that they are made in."""

    def is_fresh(self) -> bool:
        """Whether this process's heartbeat is so recent that no other may take over its claims."""

    async def may_take(self) -> bool:
        """Whether to take another slice."""

    def end(self, problem: Exception | None = None) -> None:
        """End the session, because of this problem if there is one."""


class QueueJobs(JobManager):
    """The job manager of one session. Procrastinate itself would not notice that a heartbeat failed, nor try
    again to end a job; here either failure ends the session."""

    def __init__(self, connector: PsycopgConnector, session: EndableSession) -> None:
        super().__init__(connector)
        self._session = session

    async def fetch_job(self, queues: Any, worker_id: int) -> Job | None:
        """Take a waiting slice, if there is one and this process may have one more."""
        return await super().fetch_job(queues, worker_id) if await self._session.may_take() else None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """End a slice."""
        with self._noticed():
            await super().finish_job(job, status, delete_job)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Write the heartbeat, but only while this process may send; else the others take its slices."""
        if self._session.is_fresh():
            with self._noticed():
                await super().update_heartbeat(worker_id)

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        try:
            yield
        except Exception as problem:
            self._session.end(problem)
            raise


class QueueConnector(PsycopgConnector):
    """Connections on which a call without an answer by its deadline ends the session they belong to: a
    half-open connection says nothing by itself, and while one call hangs the heartbeat may go on over another
    one."""

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        url = settings().database_url
        super().__init__(
            conninfo=make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
            kwargs={**connection_timeouts(url), "autocommit": True},
            min_size=1,
            max_size=4,
            timeout=DEADLINE_SECONDS,
            pool_factory=_pool,
        )
        self._fail = fail

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        with self._deadline():
            await super().execute_query_async(query, **arguments)

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        with self._deadline():
            row: dict[str, Any] = await super().execute_query_one_async(query, **arguments)
            return row

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        with self._deadline():
            rows: list[dict[str, Any]] = await super().execute_query_all_async(query, **arguments)
            return rows

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        passed = asyncio.get_running_loop().call_later(DEADLINE_SECONDS, self._fail, TimeoutError())
        try:
            yield
        finally:
            passed.cancel()


def _pool(**settings: Any) -> AsyncConnectionPool:
    """The pool, without Procrastinate's question before each call whether the connection lives: it would cost
    as much as the call, and a call that fails ends the session anyway."""
    return AsyncConnectionPool(**{**settings, "check": None})
