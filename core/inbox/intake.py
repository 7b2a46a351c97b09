"""The writer thread of the webhook server: stores what is waiting as one group, answers, then applies a
batch.

A commit for each request would cost a flush to disk each time; a group shares one. Nothing is answered before
its commit, so an event whose request was answered with 200 survives a crash.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

import structlog

from core.clock import utc_now
from core.inbox import processing, queries
from core.inbox.event_parser import NewEvent
from core.inbox.processing import NOT_NOW
from core.inbox.rules import BATCH_EVENTS, next_batch_size

GROUP_EVENTS = 1000  # a group takes no further request beyond this
QUEUE_EVENTS = 20_000  # with more waiting, requests are refused and the platform sends them again
WAIT_SECONDS = (
    0.05  # stored events wait so long for more, since a batch costs much the same for one as for many
)
NAMED_REQUESTS = 20  # of a refused group, so many ids are logged
IDLE_SECONDS = 1.0  # how often the backlog is read when nothing comes in
REST_SECONDS = 1.0  # no batch for so long after the database has refused one

log = structlog.get_logger(__name__)


AnswerTo = TypeVar("AnswerTo")


class IntakeResult(StrEnum):
    """How a request is answered: its events are stored, or could not be, because the database takes in
    nothing now or because of what they are."""

    STORED = "stored"
    UNAVAILABLE = "unavailable"
    NOT_STORABLE = "not_storable"


@dataclass(eq=False, slots=True)
class IntakeRequest(Generic[AnswerTo]):
    """The events of one HTTP request, and whatever the owner needs to answer it. `http_request_id` stands in
    the log when they could not be stored."""

    events: Sequence[NewEvent]
    answer_to: AnswerTo
    http_request_id: str = ""


@dataclass
class Intake(Generic[AnswerTo]):
    """A queue of requests, and the one thread that stores and applies their events.

    `answer` answers a whole group. `on_committed` is told how many events were stored, and how many of them
    were new; `on_applied` how many left the backlog; `on_idle` is called at least once a second.
    """

    answer: Callable[[Sequence[IntakeRequest[AnswerTo]], IntakeResult], None]
    on_committed: Callable[[int, int], None]
    on_applied: Callable[[int], None]
    on_idle: Callable[[], None]
    queue_events: int = QUEUE_EVENTS
    _waiting: deque[IntakeRequest[AnswerTo]] = field(default_factory=deque, init=False)
    _events_waiting: int = field(default=0, init=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, init=False)
    _closing: bool = field(default=False, init=False)
    _is_idle: bool = field(default=False, init=False)  # the thread waits for the first request of a group
    _stored: int = field(default=0, init=False)  # new events since the last batch
    _batch: int = field(default=BATCH_EVENTS, init=False)  # so many events the next batch takes
    _batch_at: float = field(default=0.0, init=False)  # monotonic seconds
    _rest_until: float = field(default=0.0, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def close(self, timeout: float = 20.0) -> None:
        """Store and answer what is waiting, then end the thread. What is not yet applied stays in the
        backlog."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread:
            self._thread.join(timeout)

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def events_waiting(self) -> int:
        return self._events_waiting

    def submit(self, request: IntakeRequest[AnswerTo]) -> bool:
        """Queue a request; False when there is no room or the thread has ended. It is answered once, on the
        thread of the intake."""
        with self._changed:
            full = self._waiting and self._events_waiting + len(request.events) > self.queue_events
            if full or self._closing or not self.is_alive:
                return False
            self._waiting.append(request)
            self._events_waiting += len(request.events)
            if len(self._waiting) == 1 and self._is_idle:
                self._changed.notify()
            return True

    def _run(self) -> None:
        while not self._has_ended():
            for part in (self._store_next, self._apply, self.on_idle):
                try:
                    part()
                except Exception as unforeseen:  # must end neither the other parts nor this thread
                    log.error("intake_failed", trouble=type(unforeseen).__name__)

    def _has_ended(self) -> bool:
        """Whether it was closed and all requests are answered. A closed intake takes no further ones."""
        with self._changed:
            return self._closing and not self._waiting

    def _take(self) -> list[IntakeRequest[AnswerTo]]:
        """The next group of requests; empty when a batch is due, or when the thread is to end."""
        with self._changed:
            pause = self._seconds_until_batch()
            if not self._waiting and not self._closing and pause > 0:
                self._is_idle = True
                self._changed.wait(pause)
                self._is_idle = False
            group: list[IntakeRequest[AnswerTo]] = []
            events = 0
            while self._waiting and events < GROUP_EVENTS:
                group.append(self._waiting.popleft())
                events += len(group[-1].events)
            self._events_waiting -= events
            return group

    def _store_next(self) -> None:
        if group := self._take():
            self._store(group)

    def _store(self, group: list[IntakeRequest[AnswerTo]]) -> None:
        """Commit a group, then answer it. When one of its requests may be at fault, each is
        committed alone."""
        try:
            self._commit(group)
        except NOT_NOW as problem:
            # The database is at fault, so alone they would fail too.
            self._refuse(group, problem, IntakeResult.UNAVAILABLE)
        except Exception as problem:
            if len(group) == 1:
                self._refuse(group, problem, IntakeResult.NOT_STORABLE)
                return
            for request in group:
                self._store([request])

    def _commit(self, group: list[IntakeRequest[AnswerTo]]) -> None:
        events = [event for request in group for event in request.events]
        new = processing.store_events(events) if events else 0
        if new:
            self._stored += new
            soon = time.monotonic() + WAIT_SECONDS
            self._batch_at = 0.0 if self._stored >= self._batch else min(self._batch_at, soon)
        self.answer(group, IntakeResult.STORED)
        self.on_committed(len(events), new)

    def _refuse(self, group: list[IntakeRequest[AnswerTo]], problem: Exception, result: IntakeResult) -> None:
        ids = [request.http_request_id for request in group[:NAMED_REQUESTS]]
        log.error("events_not_stored", requests=len(group), request_ids=ids, error=type(problem).__name__)
        self.answer(group, result)

    def _seconds_until_batch(self) -> float:
        return max(self._batch_at, self._rest_until) - time.monotonic()

    def _apply(self) -> None:
        """Apply a batch when it is due: enough events have come in, or they have waited long enough."""
        if self._closing or self._seconds_until_batch() > 0:
            return
        pause = IDLE_SECONDS  # another process may have left events by then
        began = time.monotonic()
        try:
            if (self._stored > 0 or queries.has_pending()) and self._apply_batch() >= self._batch:
                pause = 0.0
            self._batch = next_batch_size(self._batch, time.monotonic() - began)
        except Exception as problem:
            self._rest_until = time.monotonic() + REST_SECONDS
            log.error("events_not_applied", error=type(problem).__name__)
        self._stored = 0
        self._batch_at = time.monotonic() + pause

    def _apply_batch(self) -> int:
        applied = processing.apply_batch(self._batch, utc_now())
        self.on_applied(applied)
        return applied
