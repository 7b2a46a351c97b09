"""Connections to the queue with deadlines: a call without an answer ends the session that made it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

from procrastinate import PsycopgConnector
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url

from core.db.postgresql_engine import connection_timeouts
from core.settings import settings

DEADLINE_SECONDS = 4.0  # for one call to the queue


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
