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

import structlog
from sqlalchemy import text

from core.db.engine import reading, transaction
from core.db.work_queue import QUEUE, enqueue, shard_of
from core.sending import work_snapshot
from core.sending.sharing.queue_session import QueueSession
from core.sending.sharing.shards import Shards

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 1.0  # between a session that failed and the next

_ASSIGNED = text(
    "SELECT DISTINCT (args->>'shard')::int FROM procrastinate_jobs"
    f" WHERE queue_name = '{QUEUE}' AND status IN ('todo', 'doing')"
)


class SharedAssignment:
    """Takes slices in a thread with an event loop of its own. Whenever the queue fails it begins a new
    session: new connections, and a new worker of Procrastinate."""

    is_shared = True

    def __init__(self, loop: Shards, is_fresh: Callable[[], bool]) -> None:
        self._loop = loop
        self._is_fresh = is_fresh
        self._session: QueueSession | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def defer_missing(self, now: datetime) -> None:
        """Defer slices for fanpages that have work but no slice: what became due by time, or was lost."""
        waiting = work_snapshot.fanpages_with_work(now=now)
        if not waiting:
            return
        with reading() as db:
            assigned = set(db.execute(_ASSIGNED).scalars())
        missing = [fanpage_id for fanpage_id in waiting if shard_of(fanpage_id) not in assigned]
        if missing:
            with transaction() as db:
                enqueue(db, missing)

    def stop(self) -> None:
        self._stopping.set()
        if session := self._session:
            session.stop()

    def wait(self, seconds: float) -> None:
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
        self._session = QueueSession(self._loop, self._is_fresh, failed)
        if not self._stopping.is_set():  # or `stop` came before there was a session to stop
            await self._session.run()
