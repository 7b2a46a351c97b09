"""Drives the pumps of a process: hundreds of fanpages on a few threads, a thread for a call only while it is
on the wire."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

DRIVERS = 8  # and as many connections to the database
IN_A_ROW = 4  # steps
WIRE_THREADS = 256  # calls on the wire at once; a thread is only made when all others are busy


class Stepper(Protocol):
    """What a crew needs to know of a pump."""

    on_wake: Callable[[], object] | None

    @property
    def has_let_go(self) -> bool: ...
    def step(self) -> float | None: ...
    def end(self) -> None: ...


class Alarm:
    """Calls what is due at a monotonic time; it must not take long."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="alarm", daemon=True).start()

    def at(self, when: float, call: Callable[[], object]) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (when, next(self._numbers), call))
            if self._waiting[0][0] == when:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            try:
                self._next()()
            except Exception:
                log.exception("alarm_failed")

    def _next(self) -> Callable[[], object]:
        with self._changed:
            while True:
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(left)


@dataclass
class _Seat:
    """A pump in the crew. `turn` grows with each step asked for: an alarm for an older one is void."""

    fanpage_id: int
    pump: Stepper
    let_go: Future[None] = field(default_factory=Future)
    turn: int = 0
    is_stepping: bool = False
    is_woken: bool = False
    is_over: bool = False


class Crew:
    def __init__(self, make: Callable[[int], Stepper], alarm: Alarm) -> None:
        self._make = make
        self._alarm = alarm
        self._drivers = ThreadPoolExecutor(DRIVERS, thread_name_prefix="pump")
        self._seats: list[_Seat] = []
        self._lock = threading.Lock()

    def pump(self, fanpage_id: int) -> Future[None]:
        """Send for this fanpage; done as soon as nothing more leaves, settling may go on."""
        seat = _Seat(fanpage_id, self._make(fanpage_id))
        seat.pump.on_wake = partial(self._wake, seat)
        with self._lock:
            self._seats.append(seat)
        self._wake(seat)
        return seat.let_go

    def end(self, let_go: Future[None]) -> None:
        """Let the pump that this belongs to end early."""
        for seat in self._all():
            if seat.let_go is let_go:
                seat.pump.end()
                self._wake(seat)

    def pumping(self) -> set[int]:
        return {seat.fanpage_id for seat in self._all()}

    def wake_all(self) -> None:
        for seat in self._all():
            self._wake(seat)

    def _all(self) -> list[_Seat]:
        with self._lock:
            return list(self._seats)

    def _wake(self, seat: _Seat) -> None:
        with self._lock:
            if seat.is_stepping:
                seat.is_woken = True
            if seat.is_stepping or seat.is_over:
                return
            seat.turn += 1
            turn = seat.turn
        self._drivers.submit(self._step, seat, turn)

    def _step(self, seat: _Seat, turn: int) -> None:
        with self._lock:
            if seat.is_stepping or turn != seat.turn:
                return
            seat.is_stepping = True
        pause: float | None = None
        try:
            pause = _a_few_steps(seat.pump)
        except Exception:
            log.exception("step_failed", fanpage_id=seat.fanpage_id)
        if seat.pump.has_let_go:
            _say_so(seat.let_go)
        self._after(seat, pause)

    def _after(self, seat: _Seat, pause: float | None) -> None:
        with self._lock:
            seat.is_stepping = False
            seat.turn += 1
            turn, at_once = seat.turn, seat.is_woken or not pause
            seat.is_woken = False
            if pause is None:
                seat.is_over = True
                self._seats.remove(seat)
        if pause is None:
            _say_so(seat.let_go)
        elif at_once:
            self._drivers.submit(self._step, seat, turn)
        else:
            again = partial(self._drivers.submit, self._step, seat, turn)
            self._alarm.at(time.monotonic() + pause, again)


def _a_few_steps(pump: Stepper) -> float | None:
    """Those wanted at once, without going through a thread for each; then it is others' turn."""
    for _ in range(IN_A_ROW):
        pause = pump.step()
        if pause != 0.0:
            break
    return pause


def _say_so(let_go: Future[None]) -> None:
    """Whoever waits for it may cancel it at any moment, as when the job is taken away."""
    with suppress(InvalidStateError):
        let_go.set_result(None)
