"""Many workers on one PostgreSQL: Procrastinate hands out the fanpages, docs/decisions/0016.

A job is a fanpage with something to send; it lasts as long as this worker sends for it. Jobs of a worker that
fell silent go to another. The ledger's leases, not the jobs, keep a token from being used twice.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from procrastinate import App, JobContext
from procrastinate.jobs import Job
from procrastinate.worker import Worker
from sqlalchemy import text

from core.database import DATABASE_TROUBLE, reading, transaction
from core.engine.enqueue import QUEUE, TASK, enqueue
from core.engine.lines import Jobs, Lines
from core.sending import queries
from core.sending.crew import Crew

log = structlog.get_logger(__name__)

AT_ONCE = 2000  # fanpages that one worker sends for; each is a coroutine that only waits
BEAT_SECONDS = 1.0
FORGOTTEN_SECONDS = 3600.0  # one that wakes up before goes on under its number
SILENT_SECONDS = 6  # a worker without a beat for so long has lost its jobs
POLL_SECONDS = 0.5  # a job whose lock has come free is not announced, unless it is handed on
LOOK_ROUND_SECONDS = 1.0
CLEAN_EVERY_SECONDS = 3600.0
KEPT_HOURS = 24  # of jobs that failed
END_WITHIN_SECONDS = 2.0
AGAIN_SECONDS = 1.0  # after the queue was lost
A_FEW_MORE = 3  # fanpages above the share are taken: to pass one on delays its first message
FRESH_SECONDS = 0.2
PASSED_ON_AT_MOST = 3  # times in a row; then nobody else seems to be there

_HANDED_OUT = text(
    "SELECT (args->>'fanpage_id')::bigint FROM procrastinate_jobs WHERE status IN ('todo','doing')"
)
_OURS = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %(worker_id)s"
_SHARE = text(
    "SELECT ceil((SELECT count(DISTINCT lock) FROM procrastinate_jobs WHERE status IN ('todo','doing'))"
    " / greatest(1.0, (SELECT count(*) FROM procrastinate_workers"
    f" WHERE last_heartbeat > now() - interval '{SILENT_SECONDS} seconds')))"
)
# In the words of Procrastinate's own trigger.
_ANNOUNCED = text(
    f"SELECT pg_notify('procrastinate_queue_v1#{QUEUE}', "
    "json_build_object('type', 'job_inserted', 'job_id', 0)::text)"
)


class DistributedEngine:
    is_shared = True

    def __init__(self, crew: Crew, is_fresh: Callable[[], bool]) -> None:
        self._queue = _Queue(crew, is_fresh)
        self._thread = threading.Thread(target=self._queue.run, name="queue", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hand_out(self, *, now: datetime) -> None:
        """The second net: what became due by time passing, and what a worker that died had in hand."""
        waiting = queries.fanpages_with_work(now=now)
        if not waiting:
            return
        with reading() as db:
            handed_out = set(db.execute(_HANDED_OUT).scalars())
        missing = set(waiting) - handed_out
        if missing:
            with transaction() as db:
                enqueue(db, missing)

    def stop(self) -> None:
        self._queue.stop()

    def wait(self, seconds: float) -> None:
        if self._thread.is_alive():
            self._thread.join(seconds)


class _Queue:
    """Takes jobs, in a thread with a loop of its own."""

    def __init__(self, crew: Crew, is_fresh: Callable[[], bool]) -> None:
        self._crew = crew
        self._is_fresh = is_fresh  # whether others see that we live
        self._running: dict[int, Future[None]] = {}  # by fanpage; done when we have let go of it
        self._passed_on: Counter[int] = Counter()
        self._given_away: set[int] = set()
        self._to_hand_on: set[int] = set()  # fanpages, as soon as their job has ended
        self._jobs: set[int | None] = set()  # that a coroutine of ours is about
        self._left_over: set[int] = set()  # that none was about at the last look, though ours
        self._share = 1_000_000  # fanpages that are ours when all workers have as many
        self._shared_at = 0.0  # monotonic
        self._sharing: asyncio.Lock  # made with each life, for its loop
        self._had_too_many = False
        self._stopping = threading.Event()
        self._worker: Worker | None = None

    def run(self) -> None:
        """The queue may be lost and come back; what the pumps have in hand is another matter."""
        while not self._stopping.is_set():
            try:
                asyncio.run(self._take_jobs())
            except Exception as problem:
                log.warning("queue_lost", error=type(problem).__name__)
            self._stopping.wait(AGAIN_SECONDS)

    def stop(self) -> None:
        self._stopping.set()
        if worker := self._worker:
            worker.stop()  # type: ignore[no-untyped-call]

    async def _take_jobs(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_say)
        self._sharing = asyncio.Lock()
        lines = Lines()
        app = App(connector=lines.connector())
        app.job_manager = jobs = Jobs(app.connector)
        jobs.on_end = self._hand_on
        app.task(name=TASK, queue=QUEUE, pass_context=True)(self._send)
        minding = asyncio.create_task(lines.cut_when_silent())
        try:
            await self._work(app, jobs)
        finally:
            lines.cut()
            minding.cancel()

    async def _work(self, app: App, jobs: Jobs) -> None:
        async with app.open_async():
            self._worker = worker = Worker(
                app,
                queues=[QUEUE],
                concurrency=AT_ONCE,
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=BEAT_SECONDS,
                stalled_worker_timeout=FORGOTTEN_SECONDS,
                shutdown_graceful_timeout=END_WITHIN_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
            looking_round = asyncio.create_task(self._look_round(jobs, worker))
            try:
                if not self._stopping.is_set():
                    await worker.run()  # type: ignore[no-untyped-call]
            finally:
                looking_round.cancel()
                self._worker = None

    async def _send(self, context: JobContext, fanpage_id: int) -> None:
        if not self._is_fresh():
            return  # nothing could leave; the next look of the clock hands it out anew
        self._jobs.add(context.job.id)
        try:
            await self._send_for_fanpage(fanpage_id)
        finally:
            self._jobs.discard(context.job.id)

    async def _send_for_fanpage(self, fanpage_id: int) -> None:
        if await self._has_enough() and self._passed_on[fanpage_id] < PASSED_ON_AT_MOST:
            self._passed_on[fanpage_id] += 1
            self._to_hand_on.add(fanpage_id)  # more likely to a worker that has less to do
            return
        self._passed_on.pop(fanpage_id, None)
        self._running[fanpage_id] = let_go = self._crew.pump(fanpage_id)
        try:
            await asyncio.wrap_future(let_go)
        finally:  # also when the job is taken away from us
            self._running.pop(fanpage_id, None)
            self._crew.end(let_go)
        if fanpage_id in self._given_away or self._stopping.is_set():
            self._given_away.discard(fanpage_id)
            self._to_hand_on.add(fanpage_id)

    async def _hand_on(self, job: Job) -> None:
        """Its lock has just come free, which nobody is told: another job is. If that fails, the next look of
        the clock does it."""
        fanpage_id: Any = job.task_kwargs.get("fanpage_id")
        if fanpage_id in self._to_hand_on:
            self._to_hand_on.discard(fanpage_id)
            await asyncio.to_thread(_enqueue_again, fanpage_id)

    async def _has_enough(self) -> bool:
        """Many may have become due since the last look: by the share of before each would be passed on."""
        if len(self._running) < self._share + A_FEW_MORE:
            return False
        async with self._sharing:
            if time.monotonic() - self._shared_at > FRESH_SECONDS:
                self._share = await asyncio.to_thread(_share)
                self._shared_at = time.monotonic()
        return len(self._running) >= self._share + A_FEW_MORE

    async def _look_round(self, jobs: Jobs, worker: Worker) -> None:
        """Take over from workers that fell silent, share with those that came, clear away what is done."""
        cleaned_at = 0.0
        while True:
            try:
                await self._take_over(jobs)
                await self._end_left_over(jobs, worker)
                self._mind_share(await asyncio.to_thread(_share))
                if time.monotonic() - cleaned_at > CLEAN_EVERY_SECONDS:
                    cleaned_at = time.monotonic()
                    await jobs.delete_old_jobs(
                        KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
                    )
            except Exception as problem:
                log.warning("queue_not_looked_after", error=type(problem).__name__)
            await asyncio.sleep(LOOK_ROUND_SECONDS)

    async def _take_over(self, jobs: Jobs) -> None:
        """A silent worker's jobs end; what still waits is handed out anew, as other jobs, so that a worker
        that wakes up again ends its own and no one else's."""
        for job in await jobs.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=SILENT_SECONDS):
            log.warning("job_taken_over", job=job.id, fanpage_id=job.task_kwargs.get("fanpage_id"))
            await jobs.end(job.id)

    async def _end_left_over(self, jobs: Jobs, worker: Worker) -> None:
        """Whose end the database did not take. Seen twice: one just fetched is not yet known here."""
        rows = await jobs.connector.execute_query_all_async(_OURS, worker_id=worker.worker_id)
        idle = {row["id"] for row in rows} - self._jobs
        self._left_over, seen_twice = idle, idle & self._left_over
        for job_id in sorted(seen_twice):
            log.warning("job_left_over", job=job_id)
            await jobs.end(job_id)

    def _mind_share(self, share: int) -> None:
        """Give some away when we have had more than our share for two looks."""
        self._share = share
        surplus = len(self._running) - share
        if surplus > 0 and self._had_too_many:
            for fanpage_id in list(self._running)[:surplus]:
                self._given_away.add(fanpage_id)
                self._crew.end(self._running[fanpage_id])
        self._had_too_many = surplus > 0


def _say(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """As when a job was ended by others while we slept: the ledger knew to let nothing leave."""
    problem = context.get("exception")
    cause = type(problem.__cause__).__name__ if problem else ""
    log.warning("job_not_ended", error=type(problem).__name__, cause=cause)


def _enqueue_again(fanpage_id: int) -> None:
    with suppress(*DATABASE_TROUBLE), transaction() as db:
        if not enqueue(db, [fanpage_id]):
            db.execute(_ANNOUNCED)  # one was waiting for the lock


def _share() -> int:
    with reading() as db:
        return max(1, int(db.execute(_SHARE).scalar_one()))
