"""Locks for decisions that depend on rows which do not exist yet, and so cannot be locked themselves."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import Session

from core.db.engine import is_sqlite

# Any numbers but those of customers/forgotten.py, inbox/early_events.py and db/migrations/env.py.
SIGN_IN_LOCK, OPERATORS_LOCK, AUDIENCES_LOCK = 746_001, 746_002, 746_003


def take_lock(db: Session, *numbers: int) -> None:
    """Wait until no other transaction has this lock, and keep it until this one ends. A second number is the
    id of one row among many. On SQLite every writer has the whole database to itself."""
    if not is_sqlite(db):
        db.execute(select(func.pg_advisory_xact_lock(*numbers)))
