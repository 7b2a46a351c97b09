"""Many workers on one PostgreSQL share the fanpages by a queue of short slices. See docs/decisions/0038.

A slice is a job of Procrastinate: the right to send for one shard of fanpages for the next few seconds. While
the shard has something to send, each slice defers its successor, and any worker that has fewer slices than
its share may take it. When a worker is silent, the others end its slices and defer new ones. Slices do not
prevent a message from being sent twice; the claims, leases and attempts of the ledger do.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, LiteralString

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.worker import Worker
from sqlalchemy import make_url, text

from core.db.engine import patience, reading, transaction
from core.db.work_queue import QUEUE, SHARDS, TASK, enqueue, shard_of, slice_job
from core.sending import work_snapshot
from core.sending.shards import Shards
from core.settings import settings

log = structlog.get_logger(__name__)

SLICE_SECONDS = 4.0
# Waiting slices are looked for, not listened for: the end of a slice frees its lock, and nobody is notified.
POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 1.0
SILENT_SECONDS = 6  # a worker without a heartbeat for so long has lost its slices
FORGOTTEN_SECONDS = 3600.0  # a silent worker that wakes up sooner keeps its number in the queue
DEADLINE_SECONDS = 4.0  # for one call to the queue
SUCCESSOR_SECONDS = 1.0  # how long a slice waits for a transaction that defers for the same shard
END_WITHIN_SECONDS = 2.0
AGAIN_SECONDS = 1.0  # between a life that failed and the next

_ASSIGNED = text(
    "SELECT DISTINCT (args->>'shard')::int FROM procrastinate_jobs"
    f" WHERE queue_name = '{QUEUE}' AND status IN ('todo', 'doing')"
)
_SHARE: LiteralString = """
    SELECT ceil(count(DISTINCT lock) / greatest(1.0, (
        SELECT count(*) FROM procrastinate_workers
        WHERE last_heartbeat > now() - make_interval(secs => %(silent)s)
    )))::int AS share
    FROM procrastinate_jobs WHERE queue_name = %(queue)s AND status IN ('todo', 'doing')"""


class SharedAssignment:
    """Takes slices in a thread with an event loop of its own. Whenever the queue fails it begins a new life:
    new connections, and a new worker of Procrastinate."""

    is_shared = True

    def __init__(self, loop: Shards, is_fresh: Callable[[], bool]) -> None:
        self._loop = loop
        self._is_fresh = is_fresh
        self._life: _Life | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)

    def start(self) -> None:
        """Begin to take slices."""
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
        """Release every shard and take no more; returns at once."""
        self._stopping.set()
        if life := self._life:
            life.stop()

    def wait(self, seconds: float) -> None:
        """Wait until the slices are handed over, but at most so many seconds."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        failed: set[int] = set()
        while not self._stopping.is_set():
            try:
                asyncio.run(self._live(failed))
            except (Exception, asyncio.CancelledError) as problem:
                log.warning("queue_lost", error=type(problem).__name__)
            self._stopping.wait(AGAIN_SECONDS)

    async def _live(self, failed: set[int]) -> None:
        self._life = _Life(self._loop, self._is_fresh, failed)
        if not self._stopping.is_set():  # or `stop` came before there was a life to stop
            await self._life.run()


class _Life:
    """One worker of Procrastinate with its connections, until `end` is called or any part fails."""

    def __init__(self, loop: Shards, is_fresh: Callable[[], bool], failed: set[int]) -> None:
        self._loop = loop
        self.is_fresh = is_fresh
        self._failed = failed  # numbers of earlier workers of this process that could not sign off
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held = 0
        self._share = 1  # how many slices we hold when all workers hold as many
        connector = _Connector(self.end)
        self._app = App(connector=connector)
        self._app.job_manager = self._jobs = _Jobs(connector, self)
        self._app.task(name=TASK, queue=QUEUE)(self._send)
        self._worker = Worker(
            self._app,
            queues=[QUEUE],
            concurrency=SHARDS,
            fetch_job_polling_interval=POLL_SECONDS,
            listen_notify=False,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=FORGOTTEN_SECONDS,
            shutdown_graceful_timeout=END_WITHIN_SECONDS,
            delete_jobs="always",
            install_signal_handlers=False,
        )

    def stop(self) -> None:
        """End this life; may be called from any thread."""
        with suppress(RuntimeError):  # its event loop has ended by itself
            self._over.get_loop().call_soon_threadsafe(self.end)

    async def run(self) -> None:
        """Take slices until this life ends. Raises what failed."""
        asyncio.get_running_loop().set_exception_handler(_log_lost_slice)
        tasks: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(2 * DEADLINE_SECONDS):
                await self._app.open_async()
                await self._sign_off_failed()
            tasks += [asyncio.create_task(self._work()), asyncio.create_task(self._keep_watch())]
            ended, _ = await asyncio.wait({*tasks, self._over}, return_when=asyncio.FIRST_COMPLETED)
            for each in ended:
                each.result()
        finally:
            await self._wind_up(tasks)

    def end(self, problem: Exception | None = None) -> None:
        """End every slice now, and with them this life; `problem` is what failed, if anything did."""
        if self._over.done():
            return
        if problem:
            self._over.set_exception(problem)
        else:
            self._over.set_result(None)

    async def _work(self) -> None:
        await self._worker.run()  # type: ignore[no-untyped-call]

    async def _send(self, shard: int) -> None:
        """One slice: lets the sending loop send for the shard, then defers the successor."""
        self._held += 1
        self._loop.take(shard, time.monotonic() + SLICE_SECONDS)
        try:
            await asyncio.wait({self._over}, timeout=SLICE_SECONDS)
        finally:
            self._loop.release(shard)
            self._held -= 1
        if self._loop.has_work(shard):
            await self._defer(shard)  # before this one ends, so that the shard is never without

    async def _defer(self, shard: int) -> None:
        """Defer a slice for the shard. A failure is left to `defer_missing`, which defers what is missing."""
        with suppress(AlreadyEnqueued, ConnectorException, TimeoutError):
            async with asyncio.timeout(SUCCESSOR_SECONDS):
                await slice_job(self._app, shard).defer_async()

    async def may_take(self) -> bool:
        """Whether to take another slice: not when others may believe that this process is dead, nor when it
        holds its share."""
        if self._over.done() or not self.is_fresh():
            return False
        if self._held >= self._share:
            self._share = await self._read_share()
        return self._held < self._share

    async def _read_share(self) -> int:
        """Shards with a slice, divided by the workers alive and rounded up."""
        found = await self._app.connector.execute_query_one_async(_SHARE, silent=SILENT_SECONDS, queue=QUEUE)
        return max(1, int(found["share"]))

    async def _keep_watch(self) -> None:
        """Rescue the slices of silent workers, every second, beside the worker: no slice delays it."""
        while True:
            for job in await self._jobs.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=SILENT_SECONDS):
                await self._rescue(job)
            self._share = await self._read_share()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _rescue(self, job: Job) -> None:
        """End a silent worker's slice and defer a new one, under another number: if that worker wakes up
        again, it can end only its own."""
        try:
            await self._jobs.finish_job_by_id_async(job.id or 0, Status.FAILED, delete_job=True)
        except ConnectorException:
            return  # another worker was quicker
        log.warning("slice_rescued", job=job.id, lock=job.lock)
        await self._defer(int(str(job.task_kwargs["shard"])))

    async def _sign_off_failed(self) -> None:
        """Sign off the workers of earlier lives of this process, so that their slices are rescued at once."""
        for worker_id in list(self._failed):
            await self._jobs.unregister_worker(worker_id)
            self._failed.discard(worker_id)

    async def _wind_up(self, tasks: list[asyncio.Task[None]]) -> None:
        """Hand the slices over and close the connections, as far as the database answers in time."""
        self.end()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=END_WITHIN_SECONDS)
        if self._worker.worker_id is not None:
            self._failed.add(self._worker.worker_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_WITHIN_SECONDS):
                await self._app.close_async()
        await _cancel_others()


async def _cancel_others() -> None:
    """Cancel all other tasks. asyncio.run then cancels them once more, and at the second time psycopg gives
    up a connection that does not answer."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for each in others:
        each.cancel()
    if others:
        await asyncio.wait(others, timeout=0.1)


class _Jobs(JobManager):
    """The job manager of one life. Procrastinate itself would not notice that a heartbeat failed, nor try
    again to end a job; here either failure ends the life."""

    def __init__(self, connector: PsycopgConnector, life: _Life) -> None:
        super().__init__(connector)
        self._life = life

    async def fetch_job(self, queues: Any, worker_id: int) -> Job | None:
        """Take a waiting slice, if there is one and this process may hold one more."""
        return await super().fetch_job(queues, worker_id) if await self._life.may_take() else None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """End a slice."""
        with self._noticed():
            await super().finish_job(job, status, delete_job)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Write the heartbeat, but only while this process may send; else the others take its slices."""
        if self._life.is_fresh():
            with self._noticed():
                await super().update_heartbeat(worker_id)

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        try:
            yield
        except Exception as problem:
            self._life.end(problem)
            raise


class _Connector(PsycopgConnector):
    """Connections on which a call without an answer by its deadline ends the life they belong to: a half-open
    connection says nothing by itself, and while one call hangs the heartbeat may go on over another one."""

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        url = settings().database_url
        super().__init__(
            conninfo=make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
            kwargs={**patience(url), "autocommit": True},
            min_size=1,
            max_size=4,
            timeout=DEADLINE_SECONDS,
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


def _log_lost_slice(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log that a slice could not be ended: others had ended it while this process stood still, or the
    database was gone."""
    problem = context.get("exception")
    cause = type(problem.__cause__).__name__ if problem else ""
    log.warning("slice_not_ended", error=type(problem).__name__, cause=cause)
