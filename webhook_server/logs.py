"""What the webhook server adds to the logs: no query strings, and no flood of refusals."""

from __future__ import annotations

import logging
import time
from typing import Any

import structlog

from core import logs


def configure() -> None:
    """As in every process of ours; one that has set up its logs otherwise keeps them."""
    if not structlog.is_configured():
        logs.configure()
    silence_access_log()


def silence_access_log() -> None:
    """uvicorn would log each query string, and that of a verification holds the verify token."""
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


class ThrottledLog:
    """Logs a refusal when it begins and then a count now and then: nobody can fill the disk from outside."""

    def __init__(self, log: Any, every_seconds: float = 10.0) -> None:
        self._log = log
        self._every_seconds = every_seconds
        self._counts: dict[str, int] = {}
        self._next_at: dict[str, float] = {}

    def warn(self, event: str, reason: str) -> None:
        self._counts[reason] = self._counts.get(reason, 0) + 1
        now = time.monotonic()
        if now >= self._next_at.get(reason, 0.0):
            self._next_at[reason] = now + self._every_seconds
            self._log.warning(event, reason=reason, count=self._counts.pop(reason))
