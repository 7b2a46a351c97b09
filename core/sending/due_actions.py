"""Runs what is due for broadcasts: a look at the tables, then only the actions that have something to do.
What fails is logged, and tried at the next run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import structlog

from core.broadcasts import audience_builder, canary, due, scheduled_jobs
from core.broadcasts.due import Due
from core.db.engine import DATABASE_TROUBLE
from core.errors import Held
from core.sending.limits import breaker_trip

log = structlog.get_logger(__name__)


def never_failing(action: Callable[[], Any]) -> Callable[[], None]:
    """The same action under the same name, but whatever it raises is logged."""

    def run() -> None:
        try:
            action()
        except Held:
            log.debug("action_held", action=run.__name__)
        except DATABASE_TROUBLE as problem:
            log.warning("database_unavailable", action=run.__name__, error=type(problem).__name__)
        except Exception:
            log.exception("action_failed", action=run.__name__)

    run.__name__ = action.__name__.strip("_")
    return run


class DueActions:
    """The actions for broadcasts, each in threads of its own; those that start broadcasts in `start_at_once`
    of them. `on_start` is called when a broadcast has started."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        stop: threading.Event,
        *,
        start_at_once: int,
        on_start: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._stop = stop
        self._on_start = on_start
        self._actions = {
            Due.START: ThreadedAction(self._start, at_once=start_at_once),
            Due.BUILD_AUDIENCE: ThreadedAction(self._build_audiences),
            Due.JUDGE_CANARY: ThreadedAction(self._judge_canaries),
            Due.END_LATE: ThreadedAction(self._end_too_late, every=1.0),
            Due.JUDGE_REFUSALS: ThreadedAction(self._judge_refusals, every=1.0),
            Due.FINISH: ThreadedAction(self._finish_done, every=1.0),
        }

    def begin_due(self, kinds: Iterable[Due] = Due) -> None:
        """Look, and begin what is due of these kinds; when the look fails, all of them: each action chooses
        its broadcasts by itself, and what the look stumbled over must not stop the others."""
        for each in self._due() & set(kinds):
            self._actions[each].begin()

    def _due(self) -> set[Due]:
        try:
            return due.look(now=self._clock())
        except DATABASE_TROUBLE as problem:
            log.warning("due_look_failed", error=type(problem).__name__)
        except Exception:
            log.exception("due_look_failed")
        return set(Due)

    def _start(self) -> None:
        if scheduled_jobs.start_due(now=self._clock()):
            self._on_start()

    def _build_audiences(self) -> None:
        audience_builder.build_audiences(self._clock, rest=self._stop.wait)

    def _judge_canaries(self) -> None:
        canary.judge(now=self._clock())

    def _end_too_late(self) -> None:
        scheduled_jobs.end_too_late(now=self._clock())

    def _judge_refusals(self) -> None:
        breaker_trip.judge_sending_broadcasts(now=self._clock())

    def _finish_done(self) -> None:
        self._judge_refusals()  # first: a broadcast that is to pause itself must not finish
        scheduled_jobs.finish_done(now=self._clock())


class ThreadedAction:
    """An action that runs in a thread of its own, so that it delays nothing else, however long it takes.

    It does not begin while `at_once` runs of it are under way, nor within `every` seconds of the last.
    """

    def __init__(self, action: Callable[[], Any], *, at_once: int = 1, every: float = 0.0) -> None:
        self._action = never_failing(action)
        self._free = threading.Semaphore(at_once)
        self._every = every
        self._next_at = float("-inf")  # monotonic

    def begin(self) -> None:
        """Run the action now, if it may begin; returns at once. To be called in one thread at a time.

        Where the system has no thread left this is logged, and the next call tries again.
        """
        now = time.monotonic()
        if now < self._next_at or not self._free.acquire(blocking=False):
            return
        try:
            threading.Thread(target=self._run, name=self._action.__name__, daemon=True).start()
        except RuntimeError:
            self._free.release()
            log.exception("thread_not_started", action=self._action.__name__)
        else:
            self._next_at = now + self._every

    def _run(self) -> None:
        try:
            self._action()
        finally:
            self._free.release()
