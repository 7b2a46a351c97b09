"""The one writer of incoming events: commits what is waiting as one group, answers, then applies a little.

A commit per request would cost a flush to disk each; a group shares one. Nothing is answered before its
commit, so whatever was answered well survives a crash.
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

from core.inbox.actions import NOT_NOW
from core.inbox.event_parser import NewEvent
from core.inbox.rules import BATCH_EVENTS, next_batch_size

GROUP_EVENTS = 1000  # a group takes no further request beyond this
QUEUE_EVENTS = 20_000  # waiting beyond this: the platform is asked to come back
WAIT_SECONDS = 0.05  # so long stored events wait for more: a turn costs much the same for one as for many
IDLE_SECONDS = 1.0  # how often the backlog is looked at when nothing comes in
REST_SECONDS = 1.0  # after the database refused

log = structlog.get_logger(__name__)


Requester = TypeVar("Requester")


class Receipt(StrEnum):
    STORED = "stored"
    UNAVAILABLE = "unavailable"


@dataclass(eq=False, slots=True)
class IntakeRequest(Generic[Requester]):
    """The events of one request, and who asked."""

    events: Sequence[NewEvent]
    asker: Requester


@dataclass(frozen=True)
class IntakeCallbacks(Generic[Requester]):
    """What the writer does, as its owner wants it. Those of the database may raise."""

    store: Callable[[Sequence[NewEvent]], int]  # returns how many were new
    has_backlog: Callable[[], bool]
    apply: Callable[[int], int]  # at most so many; returns how many it took on
    answer: Callable[[Sequence[IntakeRequest[Requester]], Receipt], None]
    committed: Callable[[int, int], None]  # how many events, and how many of them were new
    heartbeat: Callable[[], None]  # called often


@dataclass
class Intake(Generic[Requester]):
    duties: IntakeCallbacks[Requester]
    queue_events: int = QUEUE_EVENTS
    _waiting: deque[IntakeRequest[Requester]] = field(default_factory=deque, init=False)
    _events_waiting: int = field(default=0, init=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, init=False)
    _closing: bool = field(default=False, init=False)
    _is_idle: bool = field(default=False, init=False)  # the writer waits for the first of a group
    _stored: int = field(default=0, init=False)  # since the last turn
    _turn: int = field(default=BATCH_EVENTS, init=False)  # events the next turn takes on
    _turn_at: float = field(default=0.0, init=False)  # monotonic seconds
    _rest_until: float = field(default=0.0, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def close(self, timeout: float = 20.0) -> None:
        """Stores and answers what is waiting, then ends. What is not yet applied waits in the database."""
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

    def submit(self, parcel: IntakeRequest[Requester]) -> bool:
        """Hands a parcel over; False when there is no room. It is answered once, from the writer's thread."""
        with self._changed:
            full = self._waiting and self._events_waiting + len(parcel.events) > self.queue_events
            if full or self._closing or not self.is_alive:
                return False
            self._waiting.append(parcel)
            self._events_waiting += len(parcel.events)
            if len(self._waiting) == 1 and self._is_idle:
                self._changed.notify()
            return True

    def _run(self) -> None:
        while True:
            group = self._take()
            if group is None:
                return
            if group:
                self._store(group)
            self._apply()
            self.duties.heartbeat()

    def _take(self) -> list[IntakeRequest[Requester]] | None:
        """The next group; empty when it is time for the backlog; None when all is done."""
        with self._changed:
            pause = self._until_turn()
            if not self._waiting and not self._closing and pause > 0:
                self._is_idle = True
                self._changed.wait(pause)
                self._is_idle = False
            group: list[IntakeRequest[Requester]] = []
            events = 0
            while self._waiting and events < GROUP_EVENTS:
                group.append(self._waiting.popleft())
                events += len(group[-1].events)
            self._events_waiting -= events
            return None if self._closing and not group else group

    def _store(self, group: list[IntakeRequest[Requester]]) -> None:
        """Commits a group, then answers it. If it fails as a whole, each parcel has a try of its own."""
        try:
            self._commit(group)
        except NOT_NOW as problem:
            self._refuse(group, problem)  # true for each of them
        except Exception as problem:
            if len(group) == 1:
                self._refuse(group, problem)
                return
            for parcel in group:
                self._store([parcel])

    def _commit(self, group: list[IntakeRequest[Requester]]) -> None:
        events = [event for parcel in group for event in parcel.events]
        new = self.duties.store(events) if events else 0
        if new:
            self._stored += new
            soon = time.monotonic() + WAIT_SECONDS
            self._turn_at = 0.0 if self._stored >= self._turn else min(self._turn_at, soon)
        self.duties.answer(group, Receipt.STORED)
        self.duties.committed(len(events), new)

    def _refuse(self, group: list[IntakeRequest[Requester]], problem: Exception) -> None:
        log.error("events_not_stored", requests=len(group), error=type(problem).__name__)
        self.duties.answer(group, Receipt.UNAVAILABLE)

    def _until_turn(self) -> float:
        return max(self._turn_at, self._rest_until) - time.monotonic()

    def _apply(self) -> None:
        """A turn at the backlog when it is due: enough has come in, or it has waited long enough."""
        if self._closing or self._until_turn() > 0:
            return
        pause = IDLE_SECONDS  # the worker or another server may have left something by then
        began = time.monotonic()
        try:
            has_backlog = self._stored > 0 or self.duties.has_backlog()
            if has_backlog and self.duties.apply(self._turn) >= self._turn:
                pause = 0.0
            self._turn = next_batch_size(self._turn, time.monotonic() - began)
        except Exception as problem:
            self._rest_until = time.monotonic() + REST_SECONDS
            log.error("events_not_applied", error=type(problem).__name__)
        self._stored = 0
        self._turn_at = time.monotonic() + pause
