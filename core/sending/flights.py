"""When a handful leaves: its slot in the pace row, and a gate that keeps late handfuls apart."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event, Lock

MAKE_UP = 1.05  # how much faster than the rate a late handful may follow the one before


@dataclass
class Slot:
    """Room in the pace row for `count` messages from a monotonic time on."""

    count: int
    at: float
    seconds: float  # what they take at the rate


class Gate:
    """Keeps handfuls apart that come late together, after a stall: they make up for it little by little."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opens = 0.0

    def pass_at(self, at: float, seconds: float, stop: Event) -> None:
        """Wait for a monotonic time, and for the one before to be `seconds` away, or a little less."""
        while not stop.is_set():
            with self._lock:
                now = time.monotonic()
                if now >= max(at, self._opens):
                    self._opens = now + seconds / MAKE_UP
                    return
                left = max(at, self._opens) - now
            stop.wait(left)
