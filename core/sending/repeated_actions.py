"""Actions that the worker's clock runs again and again: what fails is logged, and tried at the next run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from core.db.engine import DATABASE_TROUBLE
from core.errors import Held

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
