"""Keeps which workers had to stop putting messages of several fanpages into one call, for the doctor to show.

A worker keeps it in its heartbeat, so it holds as long as that worker lives. See docs/decisions/0039.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import col

from core.db.engine import reading, transaction
from core.db.tables import Heartbeat
from core.errors import N_
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.settings import settings

REFUSED = N_(
    "Messenger rejects calls that contain messages of several fanpages, so they are sent fanpage "
    "by fanpage. Nothing is lost; it only takes more resources with many fanpages. We try again "
    "every ten minutes. If it continues, set OTN_BATCH_ACROSS_FANPAGES=no."
)


class MixedCallReports:
    """One worker's part: `mixed_calls` decides for the calls that it makes, `keep` is called beside its
    heartbeat."""

    def __init__(self, process: str) -> None:
        self.mixed_calls = MixedCallSwitch(wanted=settings().batch_across_fanpages, on_change=self._note)
        self._process = process  # Heartbeat.process
        self._is_refused = False
        self._kept = False

    def _note(self, is_refused: bool) -> None:
        """Remember a change until `keep` writes it; called on a thread that sends."""
        self._is_refused = is_refused

    def keep(self, *, now: datetime) -> None:
        """Write to the heartbeat what has changed, if anything has; without a heartbeat, next time."""
        is_refused = self._is_refused
        if is_refused == self._kept:
            return
        with transaction() as db:
            mine = update(Heartbeat).where(col(Heartbeat.process) == self._process)
            written = db.execute(
                mine.values(mixed_refused_at=now if is_refused else None).returning(col(Heartbeat.process))
            ).first()
        if written is not None:
            self._kept = is_refused


def problems(*, silent_since: datetime) -> Iterator[str]:
    """A sentence for the doctor if a worker with a heartbeat since then has to keep fanpages apart."""
    refused = col(Heartbeat.mixed_refused_at).is_not(None), col(Heartbeat.at) > silent_since
    with reading() as db:
        if db.execute(select(col(Heartbeat.process)).where(*refused).limit(1)).first():
            yield REFUSED
