"""Carries over, from the database that was there into a restored one, what must not be unlearned.

That is who was forgotten, who said no, which tokens were or may have been used (since the backup, and by
files that are imported later), and what customers did that had not been applied yet. Broadcasts that have
gone on since the backup end in the restored copy, and users stay as they are now. The two are matched by what
the platform and people call things (page, PSID, token, name), since numbers may have been given anew after an
earlier restore.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core.backups import carried_broadcasts, carried_events, carried_people, carried_tokens
from core.backups.row_mapping import RowMapping


@dataclass(frozen=True)
class CarriedOver:
    """How many were carried over: people erased, withdrawals recorded, tokens marked as used or ended,
    broadcasts (their names) that were cancelled because they had gone on, events that wait."""

    forgotten: int
    withdrawals: int
    tokens: int
    cancelled: tuple[str, ...]
    events: int


def carry_over(source: Session, db: Session, *, now: datetime) -> CarriedOver:
    """Carry over from `source` in the transaction of `db`."""
    forgotten = carried_people.forget_again(source, db, now=now)
    mapping = RowMapping(source, db)
    tokens = carried_tokens.end_used(source, db, mapping)
    withdrawals = carried_people.withdraw_again(source, db, mapping, now=now)
    cancelled = carried_broadcasts.cancel_gone_on(source, db, mapping, now=now)
    events = carried_events.keep_waiting(source, db)
    carried_people.keep_operators(source, db, mapping, now=now)  # last: by now every fanpage has its number
    return CarriedOver(forgotten, withdrawals, tokens, tuple(cancelled), events)
