"""Connections to the queue with deadlines: a call without an answer ends the session that made it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from procrastinate import PsycopgConnector
from psycopg import AsyncCursor
from psycopg.rows import DictRow
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

    @asynccontextmanager
    async def _get_cursor(self, connection: Any = None) -> AsyncGenerator[AsyncCursor[DictRow]]:
        """The cursor of a call, whichever it is; to get a connection is part of the call."""
        passed = asyncio.get_running_loop().call_later(DEADLINE_SECONDS, self._fail, TimeoutError())
        try:
            async with super()._get_cursor(connection) as cursor:
                yield cursor
        finally:
            passed.cancel()


def _pool(**settings: Any) -> AsyncConnectionPool:
    """The pool, without Procrastinate's question before each call whether the connection lives: it would cost
    as much as the call, and a call that fails ends the session anyway."""
    return AsyncConnectionPool(**{**settings, "check": None})
