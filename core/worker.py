"""The worker: APScheduler as the clock over a few actions. The tables are the only truth.

Any number of workers may run. Memory job store: a shared one dies when two processes touch it.
"""

from __future__ import annotations

import functools
import gc
import itertools
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor as SchedulerPool
from apscheduler.schedulers.background import BackgroundScheduler

from core.alerts import scheduled_jobs as alerts
from core.backups import scheduled_jobs as backups
from core.broadcasts import result_counting, topic_counting
from core.broadcasts import scheduled_jobs as broadcasts
from core.broadcasts.due import Due
from core.clock import utc_now
from core.consent import counting as opt_in_counting
from core.consent import import_runs
from core.consent import scheduled_jobs as consent
from core.customers import profiles
from core.db import holding
from core.db.database_clock import Clock, clock
from core.db.engine import DATABASE_TROUBLE, empty_log
from core.db.work_queue import SHARDS
from core.fanpages import health_actions, installation_checks, queries
from core.fanpages import pictures as fanpage_pictures
from core.fanpages.connection import find_connections, messenger_for
from core.funnel import counting as funnel_counting
from core.inbox import old_events, processing
from core.installation.clock_trust import ClockTrust
from core.installation.clock_watch import ClockWatch
from core.installation.heartbeat import WORKER, HeartbeatWriter
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.pictures import scheduled_jobs as pictures
from core.pictures.unused import delete_unused_pictures
from core.retention.scheduled_jobs import delete_old_rows
from core.sending import claims
from core.sending.claims import LEASE
from core.sending.due_actions import DueActions, never_failing
from core.sending.loop import CALLS_AT_ONCE, SendingLoop
from core.sending.replies import claims as reply_claims
from core.sending.replies.watch import ReplyWatch
from core.sending.sharing.slices import SharedAssignment
from core.settings import settings

log = structlog.get_logger(__name__)

STOP_WITHIN_SECONDS = 4.5
LOOK_SECONDS = 0.35  # from one look at what is due to the next
START_AT_ONCE = 3  # threads that start broadcasts: a large audience must not hold up the others that are due
BACKUPS_AFTER_SECONDS = 300.0  # of the worker's start
STAND_BY = 6  # how much less often the clock ticks in workers that do not lead
# Threads that read and write wait for the interpreter after each; the usual 5 ms would add up.
SWITCH_SECONDS = 0.0005


@dataclass
class Worker:
    clock: Clock = field(default_factory=clock)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.heartbeat = HeartbeatWriter(WORKER, self.clock)
        self.clock_watch = ClockWatch(self.clock, LEASE.total_seconds())
        self.clock_trust = ClockTrust(
            self.clock, lambda: installation_checks.seconds_off(self.clock), queries.has_real_fanpage
        )
        self.mixed_calls = MixedCallSwitch(wanted=settings().batch_across_fanpages)
        self.loop = SendingLoop(
            worker=self.heartbeat.process,
            find_connections=find_connections,
            call_threads=ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="call"),
            stop=self.stop,
            clock=self.clock,
            still_ours=self.heartbeat.still_ours,
            mixed_calls=self.mixed_calls,
        )
        # Shares the fanpages with other workers. None on SQLite, where this process sends for all of them; a
        # second one, started by mistake, does no harm, since each delivery is claimed by only one.
        self.slices = (
            SharedAssignment(self.loop, self.heartbeat.is_fresh) if settings().is_postgresql else None
        )
        self._due_actions = DueActions(
            self.clock,
            self.stop,
            start_at_once=START_AT_ONCE if self.slices else 1,
            on_start=self.loop.look_again,
        )
        self._backups_from = time.monotonic() + BACKUPS_AFTER_SECONDS
        self._looks = itertools.count(1)
        self._held = ""  # what was last said about a hold
        self._away_since: float | None = None  # monotonic; the first heartbeat that could not be written

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then end within five seconds."""
        sys.setswitchinterval(SWITCH_SECONDS)
        scheduler = self._scheduler()
        gc.collect()
        gc.freeze()  # what was imported never goes: looking it over again would stall the sends
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        self._write_heartbeat()
        sending = threading.Thread(target=self.loop.run, name="sending", daemon=True)
        sending.start()
        watch = ReplyWatch(self.loop.look_for_replies)
        threading.Thread(target=watch.run, args=[self.stop], name="replies", daemon=True).start()
        self._take_shards()
        scheduler.start()
        log.info("worker_started", worker=self.heartbeat.process)
        self._run_clock(scheduler)
        if self.slices:
            self.slices.stop()
        scheduler.pause()
        until = time.monotonic() + STOP_WITHIN_SECONDS
        sending.join(STOP_WITHIN_SECONDS)
        if self.slices:
            self.slices.wait(max(0.2, until - time.monotonic()))
        scheduler.shutdown(wait=False)
        self.heartbeat.remove()
        empty_log()
        log.info("worker_stopped", worker=self.heartbeat.process)

    def _take_shards(self) -> None:
        if self.slices:
            self.slices.start()
            return
        for shard in range(SHARDS):
            self.loop.take(shard, math.inf)

    def _run_clock(self, scheduler: BackgroundScheduler) -> None:
        """Wait until told to stop. APScheduler sleeps by the wall clock: when that jumps, wake it up."""
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
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        for seconds, action in [*self._own_actions(), *self.shared_actions()]:
            job = never_failing(action)
            made.add_job(job, "interval", seconds=seconds, id=job.__name__, next_run_time=utc_now())
        return made

    def _own_actions(self) -> list[tuple[float, Callable[[], Any]]]:
        return [(LOOK_SECONDS, self.run_due), (1.0, self._write_heartbeat), (5.0, self._report_hold)]

    def run_due(self) -> None:
        """Begin whatever one look finds due for broadcasts. Workers that do not lead start broadcasts; the
        rest they do seldom."""
        self._due_actions.begin_due(Due if self._does_shared_work(self._looks) else {Due.START})

    def shared_actions(self) -> list[tuple[float, Callable[[], Any]]]:
        """What one worker does for all. The others do it, too, but seldom, in case that one is stuck."""
        actions = [
            (1.0, self.reclaim),
            (30.0, self._timed(broadcasts.sweep)),
            (2.0, self._timed(processing.apply_pending, limit=500)),
            (300.0, self._by_a_right_clock(consent.expire_due)),
            (600.0, self._by_a_right_clock(old_events.delete_old_events)),
            (3600.0, self._by_a_right_clock(delete_old_rows)),
            (3600.0, self._by_a_right_clock(backups.delete_former_databases)),
            (5.0, self._timed(profiles.fetch_missing_profiles, messenger_for)),
            (3.0, self._timed(pictures.hand_over_pictures, messenger_for)),
            (15.0, self._timed(fanpage_pictures.fetch_due_pictures)),
            (21_600.0, self._by_a_right_clock(delete_unused_pictures)),
            (15.0, self._timed(health_actions.check_due_fanpages)),
            (900.0, self._check_installation),
            (4.0, self._timed(result_counting.count_results)),
            (1.0, self._timed(import_runs.run_imports)),
            (15.0, self._timed(alerts.send_alerts)),
            (10.0, self._timed(funnel_counting.count_funnels)),
            (10.0, self._timed(opt_in_counting.count_opt_ins)),
            (10.0, self._timed(topic_counting.count_topics)),
            (60.0, self._make_backup),
        ]
        if self.slices:
            actions.append((0.5, self._timed(self.slices.defer_missing)))
        return [(seconds, self._seldom_unless_leading(action)) for seconds, action in actions]

    def _timed(self, action: Callable[..., Any], *given: Any, **more: Any) -> Callable[[], Any]:
        """The action as a job under its own name, which gets the present as `now`."""

        @functools.wraps(action)
        def job() -> None:
            action(*given, now=self.clock(), **more)

        return job

    def _by_a_right_clock(self, action: Callable[..., Any]) -> Callable[[], Any]:
        """The action, which ends or deletes something for good, as a job that waits while the clock is wrong
        or nobody could be asked whether it is right."""

        @functools.wraps(action)
        def job() -> None:
            if self.clock_trust.is_right():
                action(now=self.clock())

        return job

    def _seldom_unless_leading(self, action: Callable[[], Any]) -> Callable[[], Any]:
        runs = itertools.count(1)

        @functools.wraps(action)
        def job() -> None:
            if self._does_shared_work(runs):
                action()

        return job

    def _does_shared_work(self, runs: Iterator[int]) -> bool:
        """Whether this worker does now what one does for all; `runs` counts how often it was asked."""
        return self.heartbeat.leads or self.slices is None or next(runs) % STAND_BY == 0

    def reclaim(self) -> None:
        """Take over what dead workers left; not while a jump of the clock makes the living look dead."""
        if self.clock_watch.has_not_jumped():
            for each in (claims.take_over_lost, reply_claims.end_lost):  # whatever becomes of the other
                never_failing(self._timed(each))()

    def _make_backup(self) -> None:
        if time.monotonic() > self._backups_from:  # a start has more urgent things to do
            backups.make_nightly_backup(now=self.clock())

    def _check_installation(self) -> None:
        if queries.has_real_fanpage():  # the demo needs neither an app nor Facebook
            installation_checks.check_installation(now=self.clock())

    def _report_hold(self) -> None:
        """Log why nothing is sent while the installation is held, once for each reason."""
        found = holding.current_hold()
        if found and found.message != self._held:
            log.warning("installation_held", said=found.message)
        self._held = found.message if found else ""

    def _write_heartbeat(self) -> None:
        """Write the heartbeat; log how long the database could not be reached."""
        try:
            self.clock.measure()
            self.heartbeat.beat(mixed_calls_are_refused=self.mixed_calls.is_refused)
        except DATABASE_TROUBLE:
            self._away_since = self._away_since or time.monotonic()
            raise
        if self._away_since is not None:
            log.info("database_returned", away_seconds=round(time.monotonic() - self._away_since, 1))
            self._away_since = None


def run() -> None:
    worker = Worker()
    worker.run()
    os._exit(0)  # a call that hangs on the wire must not hold up the end; its delivery is in doubt
