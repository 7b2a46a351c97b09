"""Decides whether one call may hold messages of several fanpages, and stops that while the platform refuses
it.

Meta documents such calls, but nobody is known to send messages by them. See docs/decisions/0039.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

import structlog

from core.errors import N_
from core.messenger.errors import Failure

log = structlog.get_logger(__name__)

REFUSALS = 3  # in a row, until fanpages are kept apart
REST_SECONDS = 600.0  # then one call tries again
TRIAL_SECONDS = 60.0  # a trial that shows nothing is followed by another
MIXED_CALLS_REFUSED = N_(
    "Messenger rejects calls that contain messages of several fanpages, so they are sent fanpage "
    "by fanpage. Nothing is lost; it only takes more resources with many fanpages. We try again "
    "every ten minutes. If it continues, set OTN_BATCH_ACROSS_FANPAGES=no."
)


class MixedCallSwitch:
    """Whether this process puts messages of several fanpages into one call. Safe to use from several threads.

    `wanted` is the setting; False keeps fanpages apart for good.
    """

    def __init__(self, *, wanted: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._wanted = wanted
        self._clock = clock
        self._lock = Lock()
        self._refusals = 0  # since a mixed call last succeeded
        self._again_at: float | None = None  # when a call tries again; None while fanpages share calls

    def allowed(self) -> bool:
        """Whether one call may hold messages of several fanpages. Changes nothing."""
        with self._lock:
            return self._is_allowed()

    @property
    def is_refused(self) -> bool:
        """Whether fanpages are kept apart because the platform refused such calls."""
        return self._again_at is not None

    def may_try(self) -> bool:
        """Whether the caller may make such a call now. After a rest one caller may, to try it."""
        with self._lock:
            granted = self._is_allowed()
            if granted and self._again_at is not None:
                self._again_at = self._clock() + TRIAL_SECONDS
            return granted

    def note_accepted(self) -> None:
        """Note that a mixed call works: a message was accepted by its own item's token."""
        with self._lock:
            was_refused, self._again_at, self._refusals = self._again_at is not None, None, 0
        if was_refused:
            log.info("mixed_calls_resumed")

    def note_refused(self, why: Failure) -> None:
        """Note that what a mixed call refused was accepted right after in a call of its fanpage alone. After
        three in a row fanpages are kept apart for ten minutes."""
        with self._lock:
            self._refusals += 1
            was_refused = self._again_at is not None
            if self._refusals >= REFUSALS:
                self._again_at = self._clock() + REST_SECONDS
            is_refused = self._again_at is not None
        if is_refused and not was_refused:
            log.warning("mixed_calls_refused", status=why.status, code=why.code, detail=why.detail)

    def _is_allowed(self) -> bool:
        return self._wanted and (self._again_at is None or self._clock() >= self._again_at)
