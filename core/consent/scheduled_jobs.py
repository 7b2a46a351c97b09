"""What the worker does to opt-ins by the clock: it ends those whose year is over."""

from __future__ import annotations

from datetime import datetime

from core.consent import ledger
from core.db.engine import transaction

CHUNK = 10_000  # opt-ins per transaction, so that nobody waits long for the database


def expire_due(*, now: datetime) -> int:
    """End every opt-in whose year is over; returns how many."""
    total = 0
    while True:
        with transaction() as db:
            ledger.release_abandoned(db, now=now)
            ended = ledger.expire_due(db, now=now, limit=CHUNK)
        total += ended
        if ended < CHUNK:
            return total
