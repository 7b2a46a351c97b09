"""Many workers on one PostgreSQL share the fanpages by a queue of short slices. See docs/decisions/0038.

A slice is a job of Procrastinate: the right to send for one shard of fanpages for the next few seconds. While
the shard has something to send, each slice defers its successor, and any worker that has fewer slices than
its share may take it. When a worker is silent, the others end its slices and defer new ones. Slices do not
prevent a message from being sent twice; the claims, leases and attempts of the ledger do.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import text

from core.db.engine import reading, transaction
from core.db.work_queue import QUEUE, enqueue, shard_of
from core.sending import work_snapshot
from core.sending.sharing.shards import Shards

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 1.0  # between a session that failed and the next

_ASSIGNED = text(
    "SELECT DISTINCT (args->>'shard')::int FROM procrastinate_jobs"
    f" WHERE queue_name = '{QUEUE}' AND status IN ('todo', 'doing')"
)


class SharedAssignment:
    """Takes slices for the sending loop of this process, in a thread with an event loop of its own. Whenever
    the queue fails it begins a new session: new connections, and a new worker of Procrastinate.

    `is_fresh` says whether this process's heartbeat is so recent that no other worker may take over its
    claims.
    """

    def __init__(self, loop: Shards, is_fresh: Callable[[], bool]) -> None:
        # Procrastinate is installed with PostgreSQL only.
        from core.sending.sharing.queue_session import QueueSession

        self._begin_session = partial(QueueSession, loop, is_fresh)
        self._stop_session: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)

    def start(self) -> None:
        """Begin to take slices."""
        self._thread.start()

    def defer_missing(self, now: datetime) -> None:
        """Defer slices for fanpages that have work but no slice: what became due by time, or was lost."""
        waiting = work_snapshot.fanpages_with_work(now=now)
        if not waiting or self._stopping.is_set():
            return
        with reading() as db:
            assigned = set(db.execute(_ASSIGNED).scalars())
        missing = [fanpage_id for fanpage_id in waiting if shard_of(fanpage_id) not in assigned]
        if missing:
            with transaction() as db:
                enqueue(db, missing)

    def stop(self) -> None:
        """Give up every shard and take no more; returns at once."""
        self._stopping.set()
        self._stop_session()

    def wait(self, seconds: float) -> None:
        """Wait until the shards are handed over, but at most so many seconds."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        failed: set[int] = set()
        while not self._stopping.is_set():
            try:
                asyncio.run(self._run_session(failed))
            except (Exception, asyncio.CancelledError) as problem:
                log.warning("queue_lost", error=type(problem).__name__)
            self._stopping.wait(AGAIN_SECONDS)

    async def _run_session(self, failed: set[int]) -> None:
        session = self._begin_session(failed)
        self._stop_session = session.stop
        if not self._stopping.is_set():  # or `stop` came before there was a session to stop
            await session.run()
