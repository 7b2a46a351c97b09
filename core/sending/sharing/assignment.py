"""For which shards of fanpages this worker process sends: all of them on SQLite, slices on PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from core.db.engine import engine
from core.db.work_queue import SHARDS
from core.sending.sharing.shards import Shards


class Assignment(Protocol):
    """Tells the sending loop of this process for which shards it may claim."""

    is_shared: bool  # whether other workers send, too

    def start(self) -> None:
        """Begin to take shards."""

    def defer_missing(self, now: datetime) -> None:
        """See to it that somebody sends for what became due by time, or was left by a worker that died."""

    def stop(self) -> None:
        """Give up every shard and take no more; returns at once."""

    def wait(self, seconds: float) -> None:
        """Wait until the shards are handed over, but at most so many seconds."""


class SoleAssignment:
    """On SQLite: this process sends for every fanpage. A second worker, started by mistake, does no harm,
    since each delivery is claimed by only one of them."""

    is_shared = False

    def __init__(self, loop: Shards) -> None:
        self._loop = loop

    def start(self) -> None:
        for shard in range(SHARDS):
            self._loop.take(shard, math.inf)

    def defer_missing(self, now: datetime) -> None:
        """Do nothing: every shard is taken."""

    def stop(self) -> None:
        for shard in range(SHARDS):
            self._loop.give_up(shard)

    def wait(self, seconds: float) -> None:
        """Do nothing: there is nobody to hand over to."""


def assignment_for(loop: Shards, is_fresh: Callable[[], bool]) -> Assignment:
    """The assignment that the database in use needs. `is_fresh` says whether this process's heartbeat is so
    recent that no other worker may take over its claims."""
    if engine().dialect.name == "sqlite":
        return SoleAssignment(loop)
    # Procrastinate is installed with PostgreSQL only.
    from core.sending.sharing.slices import SharedAssignment

    return SharedAssignment(loop, is_fresh)
