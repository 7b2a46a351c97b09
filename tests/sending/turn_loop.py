"""Turns a sending loop by hand, one turn after another, until something is reached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from core.db.engine import DATABASE_TROUBLE
from core.sending.loop import SOON_SECONDS, SendingLoop


class DrainedLoop(SendingLoop):
    """One that can be turned until nothing is left that may be sent now, or until it is told to stop."""

    def __init__(self, *, stop: threading.Event, **more: Any) -> None:
        super().__init__(stop=stop, **more)
        self.stop = stop

    def drain(self) -> None:
        while not self.stop.is_set():
            pause = self.turn()
            with suppress(*DATABASE_TROUBLE):  # the next turn says so
                if self.is_drained():
                    return
            self.stop.wait(min(pause, SOON_SECONDS))
        self.run()  # which only winds up

    def is_drained(self) -> bool:
        """Whether all outcomes are settled and a work snapshot from after that shows nothing to claim."""
        if self.calls or self.unsettled:
            self.unsettled.settle()
            self.settled_at = time.monotonic()
            return False
        snapshot = self.snapshots.fresh(after=self.settled_at)
        return not self.planner.left(snapshot, self.planner.ready(snapshot))

    settled_at = 0.0  # monotonic


def turn_until(loop: SendingLoop, is_reached: Callable[[], bool]) -> None:
    for _ in range(1500):
        pause = loop.turn()
        if is_reached():
            return
        time.sleep(min(pause, SOON_SECONDS))
    raise AssertionError("never reached")
