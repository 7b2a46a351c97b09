"""One transaction at a time where a decision rests on rows that are not there yet."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import Session

from core.db.engine import is_sqlite

SIGN_IN_LOCK, OPERATORS_LOCK = (
    746_001,
    746_002,
)  # any two numbers; only we take advisory locks in this database


def take_lock(db: Session, turn: int) -> None:
    """Waits until no other transaction has this turn. On SQLite every writer has the database to itself."""
    if not is_sqlite(db):
        db.execute(select(func.pg_advisory_xact_lock(turn)))
