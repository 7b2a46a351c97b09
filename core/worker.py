"""The worker: APScheduler as the clock over a few actions. The tables are the only truth.

Any number of workers may run. Memory job store: a shared one dies when two processes touch it.
"""

from __future__ import annotations

import functools
import gc
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor as SchedulerPool
from apscheduler.schedulers.background import BackgroundScheduler

from core.broadcasts import audience_builder, canary
from core.broadcasts import scheduled_jobs as broadcasts
from core.clock import utc_now
from core.consent import scheduled_jobs as consent
from core.customers import profiles
from core.db import holding
from core.db.database_clock import Clock, clock
from core.db.engine import DATABASE_TROUBLE
from core.errors import Held
from core.fanpages import actions as fanpages
from core.fanpages.connection import find_connections, messenger_for
from core.inbox import actions as inbox
from core.inbox import retention
from core.installation.heartbeat import WORKER, HeartbeatWriter
from core.installation.steadiness import Steadiness
from core.sending import breaker_trip, claims, replies
from core.sending.assignment import Assignment, assignment_for
from core.sending.loop import CALLS_AT_ONCE, SendingLoop
from core.sending.mixed_batches import MixedBatches
from core.sending.rules import LEASE

log = structlog.get_logger(__name__)

STOP_WITHIN_SECONDS = 4.5
STAND_BY = 6  # how much less often the clock ticks in workers that do not lead
START_AT_ONCE = 3  # ticks that start broadcasts: a large audience must not hold up the others that are due
# Threads that read and write wait for the interpreter after each; the usual 5 ms would add up.
SWITCH_SECONDS = 0.0005


@dataclass
class Worker:
    clock: Clock = field(default_factory=clock)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.heartbeat = HeartbeatWriter(WORKER, self.clock)
        self.steadiness = Steadiness(self.clock, LEASE.total_seconds())
        self.mixed_batches = MixedBatches(self.heartbeat.process)
        self.loop = SendingLoop(
            worker=self.heartbeat.process,
            find_lines=find_connections,
            wire=ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="wire"),
            stop=self.stop,
            clock=self.clock,
            holds_since=self.heartbeat.held_since,
            across=self.mixed_batches.across,
        )
        self.assignment: Assignment = assignment_for(self.loop, self.heartbeat.is_fresh)
        self._held = ""  # what was last said about a hold
        self._away_since: float | None = None  # monotonic; the first beat that the database did not take

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then end within five seconds."""
        sys.setswitchinterval(SWITCH_SECONDS)
        scheduler = self._scheduler()
        gc.collect()
        gc.freeze()  # what was imported never goes: looking it over again would stall the sends
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        self._beat()
        sending = threading.Thread(target=self.loop.run, name="sending", daemon=True)
        sending.start()
        self.assignment.start()
        scheduler.start()
        log.info("worker_started", worker=self.heartbeat.process)
        self._run_clock(scheduler)
        self.assignment.stop()
        scheduler.pause()
        until = time.monotonic() + STOP_WITHIN_SECONDS
        sending.join(STOP_WITHIN_SECONDS)
        self.assignment.wait(max(0.2, until - time.monotonic()))
        scheduler.shutdown(wait=False)
        self.heartbeat.fall_silent()
        log.info("worker_stopped", worker=self.heartbeat.process)

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
            executors={"default": SchedulerPool(10)},
            job_defaults={"coalesce": True, "misfire_grace_time": None},
        )
        for seconds, action in [*self._own_actions(), *self._shared_actions()]:
            job = _calmly(action)
            at_once = START_AT_ONCE if job.__name__ == "start_due" and self.assignment.is_shared else 1
            made.add_job(
                job,
                "interval",
                seconds=seconds,
                id=job.__name__,
                next_run_time=utc_now(),
                max_instances=at_once,
            )
        return made

    def _own_actions(self) -> list[tuple[float, Callable[[], Any]]]:
        def start_due() -> None:
            if broadcasts.start_due(now=self.clock()):
                self.loop.look_again()

        return [(1.0, self._beat), (5.0, self._mind_hold), (0.35, start_due)]

    def _shared_actions(self) -> list[tuple[float, Callable[[], Any]]]:
        """What one worker does for all. The others do it, too, but seldom, in case that one is stuck."""
        now = self.clock

        def hand_out() -> None:
            if not self.stop.is_set():
                self.assignment.hand_out(now())

        def gather() -> None:
            audience_builder.build_audiences(now, rest=self.stop.wait)

        def end_too_late() -> None:
            broadcasts.end_too_late(now=now())

        def judge_first_parts() -> None:
            canary.judge(now=now())

        def finish_done() -> None:
            breaker_trip.judge_sending_broadcasts(now=now())
            broadcasts.finish_done(now=now())

        def sweep() -> None:
            broadcasts.sweep(now=now())

        def apply_events() -> None:
            inbox.apply_pending(limit=500, now=now())

        def expire() -> None:
            consent.expire_due(now=now())

        def forget_old_events() -> None:
            retention.delete_old_events(now=now())

        def learn_names() -> None:
            profiles.fetch_missing_profiles(messenger_for, now=now())

        def check_health() -> None:
            fanpages.check_all(now=now())

        actions: list[tuple[float, Callable[[], Any]]] = [
            (0.5, hand_out),
            (1.0, self.reclaim),
            (0.5, gather),
            (1.0, end_too_late),
            (0.5, judge_first_parts),
            (1.0, finish_done),
            (30.0, sweep),
            (2.0, apply_events),
            (300.0, expire),
            (600.0, forget_old_events),
            (5.0, learn_names),
            (900.0, check_health),
        ]
        return [(seconds, self._seldom_unless_leading(action)) for seconds, action in actions]

    def _seldom_unless_leading(self, action: Callable[[], Any]) -> Callable[[], Any]:
        runs = itertools.count(1)

        @functools.wraps(action)
        def job() -> None:
            if self.heartbeat.leads or not self.assignment.is_shared or next(runs) % STAND_BY == 0:
                action()

        return job

    def reclaim(self) -> None:
        """Take over what dead workers left; not while a jump of the clock makes the living look dead."""
        if self.steadiness.is_even():
            claims.take_over_lost(now=self.clock())
            replies.end_lost_replies(now=self.clock())

    def _mind_hold(self) -> None:
        """Say once why nothing is sent."""
        found = holding.current_hold()
        if found and found.message != self._held:
            log.warning("held", said=found.message)
        self._held = found.message if found else ""

    def _beat(self) -> None:
        """And say once how long the database was away."""
        try:
            self.clock.measure()
            self.heartbeat.beat()
            self.mixed_batches.keep(now=self.clock())
        except DATABASE_TROUBLE:
            self._away_since = self._away_since or time.monotonic()
            raise
        if self._away_since is not None:
            log.info("database_is_back", away_seconds=round(time.monotonic() - self._away_since, 1))
            self._away_since = None


def _calmly(action: Callable[..., Any]) -> Callable[[], None]:
    """A failed tick is logged and tried again at the next; it never ends the clock."""

    def job() -> None:
        try:
            action()
        except Held:
            log.debug("tick_held", action=job.__name__)
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
