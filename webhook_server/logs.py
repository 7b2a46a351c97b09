"""Logs: one JSON document a line on standard error; no bodies, no query strings, no secrets."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import structlog

from core.logs import library_handler

SHARED: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configure() -> None:
    """Our own lines and uvicorn's in one form. A process that has set up its logs keeps them."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[*SHARED, structlog.processors.JSONRenderer()],
            logger_factory=structlog.WriteLoggerFactory(sys.stderr),
            cache_logger_on_first_use=True,
        )
    silence_access_log()


def silence_access_log() -> None:
    """uvicorn would log each query string, and that of a verification holds the verify token."""
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


def json_handler() -> logging.Handler:
    return library_handler(SHARED, structlog.processors.JSONRenderer())


class Sparingly:
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
