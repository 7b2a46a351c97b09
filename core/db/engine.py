"""Transactions. An action is one `transaction()`; queries use `reading()`.

Readers have an engine of their own and see one snapshot. On SQLite writers come one after the other; on
PostgreSQL whoever decides by what it has read locks it first. The engines: sqlite_engine.py,
postgresql_engine.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from core.db import postgresql_engine, sqlite_engine
from core.db.sqlite_engine import BUSY_TIMEOUT_SECONDS
from core.errors import N_, Held
from core.settings import settings

APPEND_ONLY = "append_only"  # what the triggers of the activity log say (migration 0044)
# The database is locked, full, gone, or has no free connection. Nothing is lost by waiting and trying again.
DATABASE_TROUBLE = (OperationalError, InterfaceError, PoolTimeout)


@contextmanager
def transaction(connection: Connection | None = None) -> Iterator[Session]:
    """A session that commits when the block ends well and rolls back when it does not."""
    bind = connection or _engine(settings().database_url, True)
    try:
        with Session(bind, expire_on_commit=False) as db, db.begin():
            yield db
    except IntegrityError as problem:
        is_refused = getattr(problem.orig, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER"
        if not is_refused or str(problem.orig) == APPEND_ONLY:
            raise
        raise Held(
            N_(
                "This database is on hold for its move to {place} and receives nothing. When the "
                "move is done, set OTN_DATABASE_URL to the new one."
            ),
            place=problem.orig,
        ) from None


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading; it never waits for a writer (SQLite) and never writes."""
    with Session(_engine(settings().database_url, False)) as db:
        yield db


@contextmanager
def glancing() -> Iterator[Session]:
    """A session for one small query of whoever looks many times a second: on PostgreSQL no transaction is
    begun and ended around it, which takes three times as long as the query."""
    readers = _engine(settings().database_url, False)
    if settings().is_postgresql:
        readers = readers.execution_options(isolation_level="AUTOCOMMIT")
    with Session(readers) as db:
        yield db


def sqlite_file() -> Path:
    """The file of this installation's SQLite database."""
    return Path(make_url(settings().database_url).database or "").absolute()


def engine() -> Engine:
    """The engine of writers, for migrations and bulk work."""
    return _engine(settings().database_url, True)


def is_deadlock(problem: BaseException) -> bool:
    """Whether PostgreSQL has ended one of two transactions that waited for each other. It may
    be tried again at once."""
    return getattr(getattr(problem, "orig", None), "sqlstate", None) in ("40P01", "40001")


def is_locked(problem: BaseException) -> bool:
    """Whether PostgreSQL has waited too long for a lock, or ended a deadlock. Other rows may be free."""
    return is_deadlock(problem) or getattr(getattr(problem, "orig", None), "sqlstate", None) == "55P03"


@contextmanager
def unless_locked() -> Iterator[None]:
    """A block that ends quietly when a lock in it was waited for too long; its work is left for
    the next time."""
    try:
        yield
    except OperationalError as problem:
        if not is_locked(problem):
            raise


def is_sqlite(db: Session) -> bool:
    """Whether a session is one of SQLite."""
    return db.get_bind().dialect.name == "sqlite"


def wait_for_locks(db: Session, at_most: str) -> None:
    """Set how long this transaction waits for a lock on PostgreSQL, such as "2s"."""
    if not is_sqlite(db):
        db.execute(text(f"SET LOCAL lock_timeout = '{at_most}'"))


def empty_log(*, wait_seconds: float = 2.0) -> None:
    """Write SQLite's write-ahead log into the database file and empty it, unless somebody is reading it."""
    if not settings().is_postgresql:
        with engine().connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.execute(f"PRAGMA busy_timeout={int(wait_seconds * 1000)}")
            with suppress(sqlite3.OperationalError):
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")


def forget_engines() -> None:
    """Close all connections, after a change of settings (tests) or before a fork."""
    for made in _made:
        made.dispose()
    _made.clear()
    _engine.cache_clear()


_made: list[Engine] = []


@lru_cache
def _engine(url: str, writes: bool) -> Engine:
    is_file = make_url(url).get_backend_name() == "sqlite"
    made = (sqlite_engine.make_engine if is_file else postgresql_engine.make_engine)(url, writes=writes)
    _made.append(made)
    return made
