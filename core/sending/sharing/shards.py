"""Shards of fanpages: the parts that worker processes share the sending in, and those that are ours."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from core.db.work_queue import SHARDS, shard_of

WATCHED_SECONDS = 5.0  # how long a shard that was given up is watched: what was claimed for it still leaves
AWAY_SECONDS = 1.0  # a shard that was not ours for so long was another's: shorter than a slice


class Shards(Protocol):
    """The sending loop (`SendingLoop`), as seen by whoever tells it for which fanpages it may send."""

    def take(self, shard: int, until: float) -> None: ...
    def give_up(self, shard: int) -> None: ...
    def has_work(self, shard: int) -> bool: ...


class OwnShards:
    """Until which monotonic time this process may claim for each shard. Any thread may call it."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._until = dict.fromkeys(range(SHARDS), float("-inf"))  # its keys never change
        self._taken_anew: deque[int] = deque()

    def take(self, shard: int, until: float) -> float:
        """Keep the shard until then, or longer if it was taken for longer. Returns since when it was not
        ours, or a time to come if it still is."""
        before = self._until[shard]
        if self._steady() - before > AWAY_SECONDS:  # others may have sent for it
            self._taken_anew.append(shard)
        self._until[shard] = max(until, before)
        return before

    def give_up(self, shard: int) -> None:
        """Keep the shard no longer."""
        self._until[shard] = min(self._until[shard], self._steady())

    def may_claim(self, fanpage_id: int) -> bool:
        """Whether the fanpage's shard is ours now."""
        return self._until[shard_of(fanpage_id)] > self._steady()

    def watched(self) -> list[int]:
        """The shards that are ours, or were within the last five seconds."""
        oldest = self._steady() - WATCHED_SECONDS
        return [shard for shard, until in self._until.items() if until > oldest]

    def pop_taken_anew(self) -> set[int]:
        """The shards that others may have sent for and that were taken since the last call."""
        found: set[int] = set()
        while self._taken_anew:
            found.add(self._taken_anew.popleft())
        return found
