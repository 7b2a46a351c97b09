"""Runs what is due for broadcasts: a look at the tables, then only the actions that have something to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime

import structlog

from core.broadcasts import audience_builder, canary, due, scheduled_jobs
from core.broadcasts.due import Due
from core.db.engine import DATABASE_TROUBLE
from core.sending import breaker_trip
from core.sending.repeated_actions import ThreadedAction

log = structlog.get_logger(__name__)


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
