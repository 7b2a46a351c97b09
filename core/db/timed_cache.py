"""Remembers for a short while what takes long to count, in the memory of this process.

What is counted quickly is never remembered, so that the numbers of a small shop are always those of now.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from core.settings import settings

T = TypeVar("T")
DEAR_SECONDS = 0.3  # what takes longer to count is remembered
SHARE = 50  # what takes a second is counted every fifty seconds at most
LONGEST_SECONDS = 300.0
MOST = 200  # values that are remembered at a time

_lock = threading.Lock()
_remembered: dict[Hashable, tuple[float, Any]] = {}  # until when (monotonic), and what


def remember(key: tuple[Hashable, ...], count: Callable[[], T]) -> T:
    """What `count` returns, or what it returned last under this key, unless that is too long ago. The key
    must name all that the value depends on but the present moment."""
    whole = (settings().database_url, *key)
    with _lock:
        until, value = _remembered.get(whole, (0.0, None))
    began = time.monotonic()
    if began < until:
        return value  # type: ignore[no-any-return]
    value = count()
    ended = time.monotonic()
    if ended - began > DEAR_SECONDS:
        with _lock:
            _drop_old(ended)
            _remembered[whole] = ended + min(SHARE * (ended - began), LONGEST_SECONDS), value
    return value


def _drop_old(now: float) -> None:
    for key in [key for key, (until, _value) in _remembered.items() if until <= now]:
        del _remembered[key]
    while len(_remembered) >= MOST:
        del _remembered[next(iter(_remembered))]


def forget_remembered() -> None:
    """Count everything anew the next time (tests)."""
    with _lock:
        _remembered.clear()
