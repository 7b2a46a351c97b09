"""Locks for decisions that depend on rows which do not exist yet, and so cannot be locked themselves."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import Session

from core.db.engine import is_sqlite

SIGN_IN_LOCK, OPERATORS_LOCK, AUDIENCES_LOCK = (
    746_001,
    746_002,
    746_003,
)  # any two numbers; nobody else takes advisory locks in this database


def take_lock(db: Session, number: int) -> None:
    """Wait until no other transaction has this lock, and keep it until this one ends. On SQLite every writer
    has the whole database to itself."""
    if not is_sqlite(db):
        db.execute(select(func.pg_advisory_xact_lock(number)))


def take_lock_of(db: Session, number: int, row_id: int) -> None:
    """Take the lock with this number of one row among many."""
    if not is_sqlite(db):
        db.execute(select(func.pg_advisory_xact_lock(number, row_id)))
