"""One session of this process with the queue: a worker of Procrastinate with its connections.

A session ends when it is told to, or when any part of it fails; the next one begins with new connections and
a new worker (slices.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import structlog
from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.worker import Worker

from core.db.work_queue import QUEUE, SHARDS, TASK, slice_job
from core.sending.sharing.queue_connection import DEADLINE_SECONDS, QueueConnector
from core.sending.sharing.shards import Shards

log = structlog.get_logger(__name__)

SLICE_SECONDS = 4.0
# Waiting slices are looked for, not listened for: the end of a slice frees its lock, and nobody is notified.
POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 1.0
SHARE_SECONDS = 0.5  # a worker that has its share looks so seldom whether that has grown
SILENT_SECONDS = 6  # a worker without a heartbeat for so long has lost its slices
FORGOTTEN_SECONDS = 3600.0  # a silent worker that wakes up sooner keeps its number in the queue
SUCCESSOR_SECONDS = 1.0  # how long a slice waits for a transaction that defers for the same shard
END_WITHIN_SECONDS = 2.0

_SHARE: LiteralString = """
    SELECT ceil(count(DISTINCT lock) / greatest(1.0, (
        SELECT count(*) FROM procrastinate_workers
        WHERE last_heartbeat > now() - make_interval(secs => %(silent)s)
    )))::int AS share
    FROM procrastinate_jobs WHERE queue_name = %(queue)s AND status IN ('todo', 'doing')"""


class QueueSession:
    """One worker of Procrastinate with its connections, until `end` is called or any part fails."""

    def __init__(self, loop: Shards, is_fresh: Callable[[], bool], failed: set[int]) -> None:
        self._loop = loop
        self.is_fresh = is_fresh
        self._failed = failed  # numbers of earlier workers of this process that could not sign off
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._slices = 0
        self._share = 1  # how many slices we have when all workers have as many
        self._share_at = float("-inf")  # monotonic; when that was read
        connector = QueueConnector(self.end)
        self._app = App(connector=connector)
        self._app.job_manager = self._jobs = QueueJobs(connector, self)
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
        """End this session; may be called from any thread."""
        with suppress(RuntimeError):  # its event loop has ended by itself
            self._over.get_loop().call_soon_threadsafe(self.end)

    async def run(self) -> None:
        """Take slices until this session ends. Raises what failed."""
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
        """End every slice now, and with them this session; `problem` is what failed, if anything did."""
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
        self._slices += 1
        self._loop.take(shard, time.monotonic() + SLICE_SECONDS)
        try:
            await asyncio.wait({self._over}, timeout=SLICE_SECONDS)
        finally:
            self._loop.give_up(shard)
            self._slices -= 1
        if self._loop.has_work(shard):
            await self._defer(shard)  # before this one ends, so that the shard is never without

    async def _defer(self, shard: int) -> None:
        """Defer a slice for the shard. A failure is left to `defer_missing`, which defers what is missing."""
        with suppress(AlreadyEnqueued, ConnectorException, TimeoutError):
            async with asyncio.timeout(SUCCESSOR_SECONDS):
                await slice_job(self._app, shard).defer_async()

    async def may_take(self) -> bool:
        """Whether to take another slice: not when others may believe that this process is dead, nor when it
        has its share."""
        if self._over.done() or not self.is_fresh():
            return False
        if self._slices >= self._share and time.monotonic() - self._share_at >= SHARE_SECONDS:
            await self._read_share()
        return self._slices < self._share

    async def _read_share(self) -> None:
        """Shards with a slice, divided by the workers alive and rounded up."""
        self._share_at = time.monotonic()
        found = await self._app.connector.execute_query_one_async(_SHARE, silent=SILENT_SECONDS, queue=QUEUE)
        self._share = max(1, int(found["share"]))

    async def _keep_watch(self) -> None:
        """Rescue the slices of silent workers, every second, beside the worker: no slice delays it."""
        while True:
            for job in await self._jobs.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=SILENT_SECONDS):
                await self._rescue(job)
            await self._read_share()
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
        """Sign off the workers of earlier sessions of this process: their slices are then rescued at once."""
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


class QueueJobs(JobManager):
    """The job manager of one session. Procrastinate itself would not notice that a heartbeat failed, nor try
    again to end a job; here either failure ends the session."""

    def __init__(self, connector: QueueConnector, session: QueueSession) -> None:
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


async def _cancel_others() -> None:
    """Cancel all other tasks. asyncio.run then cancels them once more, and at the second time psycopg gives
    up a connection that does not answer."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for each in others:
        each.cancel()
    if others:
        await asyncio.wait(others, timeout=0.1)


def _log_lost_slice(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log that a slice could not be ended: others had ended it while this process stood still, or the
    database was gone."""
    problem = context.get("exception")
    cause = type(problem.__cause__).__name__ if problem else ""
    log.warning("slice_not_ended", error=type(problem).__name__, cause=cause)
