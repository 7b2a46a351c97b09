"""Keeps the heartbeat of this process, at most every few seconds however often it is called."""

from __future__ import annotations

import os
import socket
import time

import structlog
from sqlalchemy.exc import DBAPIError

from core.clock import utc_now
from core.inbox import heartbeat

EVERY_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Pulse:
    def __init__(self) -> None:
        self._process = f"{heartbeat.PREFIX}{socket.gethostname()[:90]}:{os.getpid()}"
        self._started_at = utc_now()
        self._next_at = 0.0

    def __call__(self) -> None:
        if time.monotonic() < self._next_at:
            return
        try:
            heartbeat.beat(self._process, started_at=self._started_at, now=utc_now())
        except DBAPIError as problem:
            log.warning("webhook.no_heartbeat", error=type(problem).__name__)
        self._next_at = time.monotonic() + EVERY_SECONDS

    def stop(self) -> None:
        try:
            heartbeat.fall_silent(self._process)
        except DBAPIError as problem:
            log.warning("webhook.no_goodbye", error=type(problem).__name__)
