"""Turns a sending loop by hand, one turn after another, until something is reached."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.sending.loop import SOON_SECONDS, SendingLoop


def turn_until(loop: SendingLoop, is_reached: Callable[[], bool]) -> None:
    for _ in range(1500):
        pause = loop.turn()
        if is_reached():
            return
        time.sleep(min(pause, SOON_SECONDS))
    raise AssertionError("never reached")
