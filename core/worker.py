"""The worker: APScheduler as the clock over a few actions. The tables are the only truth.

Two workers by mistake do no harm. Memory job store: a shared one dies when two processes touch it.
"""

from __future__ import annotations

import gc
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor as SchedulerPool
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import delete, update
from sqlmodel import col

from core.broadcasts import canary
from core.broadcasts import clockwork as broadcasts
from core.clock import utc_now
from core.consent import clockwork as consent
from core.database import DATABASE_TROUBLE, insert_new, transaction
from core.fanpages import actions as fanpages
from core.fanpages.connection import messenger_for
from core.inbox import actions as inbox
from core.sending import claims, profiles, queries, replies
from core.sending.pump import Pump
from core.tables import Heartbeat

log = structlog.get_logger(__name__)

WIRE_THREADS = 64
PUMPS = 64
FRESH_SECONDS = 5.0  # without a heartbeat written for so long, others may take our claims
STOP_WITHIN_SECONDS = 4.5
# Threads that read and write wait for the interpreter after each; the usual 5 ms would add up.
SWITCH_SECONDS = 0.0005


@dataclass
class Worker:
    name: str = field(
        default_factory=lambda: f"worker {socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"[:120]
    )
    stop: threading.Event = field(default_factory=threading.Event)
    _beat_at: float = 0.0  # monotonic
    _unbroken_since: float = 0.0  # monotonic; the heartbeat has missed no beat since
    _started_at: datetime = field(default_factory=utc_now)
    _pumping: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wire: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(WIRE_THREADS, thread_name_prefix="wire")
    )

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then end within five seconds."""
        sys.setswitchinterval(SWITCH_SECONDS)
        scheduler = self._scheduler()
        gc.collect()
        gc.freeze()  # what was imported never goes: looking it over again would stall the sends
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        self._beat()
        scheduler.start()
        log.info("worker_started", worker=self.name)
        self._run_clock(scheduler)
        scheduler.pause()
        self._wait_for_pumps()
        scheduler.shutdown(wait=False)
        self._say_goodbye()
        log.info("worker_stopped", worker=self.name)

    def _run_clock(self, scheduler: BackgroundScheduler) -> None:
        """Until told to stop. APScheduler sleeps by the wall clock: when that jumps back, wake it up."""
        wall, steady = time.time(), time.monotonic()
        while not self.stop.wait(1.0):
            jumped = (time.time() - wall) - (time.monotonic() - steady)
            wall, steady = time.time(), time.monotonic()
            if abs(jumped) > 1.0:
                log.warning("clock_jumped", seconds=round(jumped))
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=utc_now())
                scheduler.wakeup()

    def _scheduler(self) -> BackgroundScheduler:
        made = BackgroundScheduler(
            timezone="UTC",
            executors={"default": SchedulerPool(8), "pumps": SchedulerPool(PUMPS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for seconds, action in self._actions():
            job = _calmly(action)
            made.add_job(job, "interval", seconds=seconds, id=job.__name__, next_run_time=utc_now())
        made.add_job(
            _calmly(self._start_pumps, made),
            "interval",
            seconds=0.2,
            id="start_pumps",
            next_run_time=utc_now(),
        )
        return made

    def _actions(self) -> list[tuple[float, Callable[[], Any]]]:
        def end_too_late() -> None:
            broadcasts.end_too_late(now=utc_now())

        def start_due() -> None:
            broadcasts.start_due(now=utc_now())

        def judge_first_parts() -> None:
            canary.judge(now=utc_now())

        def finish_done() -> None:
            broadcasts.finish_done(now=utc_now())

        def sweep() -> None:
            broadcasts.sweep(now=utc_now())

        def reclaim() -> None:
            claims.take_over_lost(now=utc_now())
            replies.end_lost_replies(now=utc_now())

        def apply_events() -> None:
            inbox.apply_pending(limit=500, now=utc_now())

        def expire() -> None:
            consent.expire_due(now=utc_now())

        def learn_names() -> None:
            profiles.learn_some(messenger_for, now=utc_now())

        def check_health() -> None:
            fanpages.check_all(now=utc_now())

        return [
            (1.0, self._beat),
            (0.5, start_due),
            (0.5, end_too_late),
            (0.5, judge_first_parts),
            (0.5, finish_done),
            (30.0, sweep),
            (2.0, reclaim),
            (2.0, apply_events),
            (300.0, expire),
            (5.0, learn_names),
            (900.0, check_health),
        ]

    def _start_pumps(self, scheduler: BackgroundScheduler) -> None:
        if self.stop.is_set():
            return
        for fanpage_id in queries.fanpages_with_work(now=utc_now()):
            with self._lock:
                if fanpage_id in self._pumping or len(self._pumping) >= PUMPS:
                    continue
                self._pumping.add(fanpage_id)
            scheduler.add_job(
                self._pump, args=[fanpage_id], executor="pumps", id=f"pump {fanpage_id} {time.monotonic_ns()}"
            )

    def _pump(self, fanpage_id: int) -> None:
        try:
            Pump(
                fanpage_id,
                messenger_for,
                worker=self.name,
                wire=self._wire,
                stop=self.stop,
                clock=utc_now,
                holds_since=self._held_since,
            ).run()
        except Exception:  # the next tick starts another; what was claimed is taken over
            log.exception("pump_failed", fanpage_id=fanpage_id)
        finally:
            with self._lock:
                self._pumping.discard(fanpage_id)

    def _held_since(self, taken_at: float) -> bool:
        """Whether our heartbeat has not missed a beat since then: nobody can have taken our claims."""
        beat_at = self._beat_at
        return taken_at >= self._unbroken_since and time.monotonic() - beat_at < FRESH_SECONDS

    def _beat(self) -> None:
        now, began = utc_now(), time.monotonic()
        if began - self._beat_at > FRESH_SECONDS:
            self._unbroken_since = began  # before the beat is seen: older claims count as lost
        with transaction() as db:
            values = {"process": self.name, "at": now, "started_at": self._started_at}
            db.execute(insert_new(db, Heartbeat), [values])
            db.execute(update(Heartbeat).where(col(Heartbeat.process) == self.name).values(at=now))
        self._beat_at = began

    def _wait_for_pumps(self) -> None:
        until = time.monotonic() + STOP_WITHIN_SECONDS
        while self._pumping and time.monotonic() < until:
            time.sleep(0.05)

    def _say_goodbye(self) -> None:
        """Without our heartbeat, what we could not settle is taken over at once."""
        try:
            with transaction() as db:
                db.execute(delete(Heartbeat).where(col(Heartbeat.process) == self.name))
        except DATABASE_TROUBLE:
            log.warning("goodbye_failed", worker=self.name)


def _calmly(action: Callable[..., Any], *args: Any) -> Callable[[], None]:
    """A failed tick is logged and tried again at the next; it never ends the clock."""

    def job() -> None:
        try:
            action(*args)
        except DATABASE_TROUBLE as problem:
            log.warning("tick_waits_for_database", action=job.__name__, error=type(problem).__name__)
        except Exception:
            log.exception("tick_failed", action=job.__name__)

    job.__name__ = action.__name__.strip("_")
    return job


def run() -> None:
    worker = Worker()
    worker.run()
    os._exit(0)  # a call that hangs on the wire must not hold up the end; its delivery is in doubt
