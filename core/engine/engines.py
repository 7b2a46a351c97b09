"""The two engines, and which of them a database needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from core.database import engine
from core.sending import queries
from core.sending.crew import Crew


class Engine(Protocol):
    is_shared: bool  # between workers, one of which leads the clock

    def start(self) -> None:
        """Begin to take what is handed out."""

    def hand_out(self, *, now: datetime) -> None:
        """See to it that somebody sends for each fanpage that has something to send."""

    def stop(self) -> None:
        """Take nothing more; returns at once."""

    def wait(self, seconds: float) -> None:
        """Wait until what was taken is given back, but not for longer."""


class EmbeddedEngine:
    """One machine, SQLite: this process sends for every fanpage. A second one by mistake does no harm."""

    is_shared = False

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def start(self) -> None:
        pass

    def hand_out(self, *, now: datetime) -> None:
        for fanpage_id in set(queries.fanpages_with_work(now=now)) - self._crew.pumping():
            self._crew.pump(fanpage_id)

    def stop(self) -> None:
        pass

    def wait(self, seconds: float) -> None:
        pass


def engine_for(crew: Crew, is_fresh: Callable[[], bool]) -> Engine:
    if engine().dialect.name == "sqlite":
        return EmbeddedEngine(crew)
    from core.engine.distributed import DistributedEngine

    return DistributedEngine(crew, is_fresh)
