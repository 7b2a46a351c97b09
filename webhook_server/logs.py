"""Logging of the webhook server: no query strings, and no flood of refusals."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import structlog

from core import logs


def configure() -> None:
    """Set up logging as in our other processes, unless this process has set it up already."""
    if not structlog.is_configured():
        logs.configure()
    silence_access_log()


def silence_access_log() -> None:
    """Silence uvicorn's access log: the query string of a verification holds the verify token."""
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


class ThrottledLog:
    """Logs the first refusal of a kind at once, and after it a count every ten seconds, so that nobody can
    fill the disk from outside."""

    def __init__(
        self, log: Any, every_seconds: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._every_seconds = every_seconds
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._next_at: dict[str, float] = {}

    def warn(self, event: str, reason: str) -> None:
        """Log or count one refusal."""
        self._counts[reason] = self._counts.get(reason, 0) + 1
        now = self._clock()
        if now >= self._next_at.get(reason, 0.0):
            self._next_at[reason] = now + self._every_seconds
            self._log.warning(event, reason=reason, count=self._counts.pop(reason))
