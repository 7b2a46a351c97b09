"""Engines and transactions. An action is one `transaction()`; queries use `reading()`.

Readers have an engine of their own and see one snapshot. SQLite: WAL, synchronous=FULL; writers
begin with BEGIN IMMEDIATE, one after the other. PostgreSQL: READ COMMITTED; whoever decides by
what it has read locks it first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from core.db.orphaned_log import refuse_orphaned_log
from core.errors import N_, Held, OperatorError
from core.settings import settings

BUSY_TIMEOUT_SECONDS = 15
# No connection waits forever for a server that is gone.
_TIMEOUTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # ms
    "application_name": "notify-once",
}
# With the default, meant for spinning disks, the server reads all of a table of some ten thousand rows to
# find a few of them by their ids.
_ON_SOLID_DISKS = {"random_page_cost": "1.1"}
WRITER_SETTINGS = _ON_SOLID_DISKS | {
    "timezone": "UTC",
    "lock_timeout": f"{BUSY_TIMEOUT_SECONDS}s",
    "statement_timeout": "10min",
    # A process that stops in the middle of a transaction holds up the others no longer than this.
    "idle_in_transaction_session_timeout": "8s",
}
# All that one `reading()` reads is of one snapshot, as on SQLite.
READER_SETTINGS = _ON_SOLID_DISKS | {
    "timezone": "UTC",
    "statement_timeout": "2min",
    "idle_in_transaction_session_timeout": "1min",
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
}
# SQLSTATEs of what passes by itself: the transaction was idle or took too long and was ended, or the server
# is read-only because another has taken over.
_PASSING_STATES = ("25P03", "25P04", "25006")
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
        if getattr(problem.orig, "sqlite_errorname", "") != "SQLITE_CONSTRAINT_TRIGGER":
            raise
        raise Held(
            N_(
                "This database is held for its move to {place} and takes in nothing. When the move is done, "
                "set OTN_DATABASE_URL to the new one."
            ),
            place=problem.orig,
        ) from None


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading; it never waits for a writer (SQLite) and never writes."""
    with Session(_engine(settings().database_url, False)) as db:
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
    made = (
        _sqlite_engine(url, writes)
        if make_url(url).get_backend_name() == "sqlite"
        else _server_engine(url, writes)
    )
    _made.append(made)
    return made


def connection_timeouts(url: str) -> dict[str, Any]:
    """How long a connection waits for its server. What the address itself names has priority."""
    named = make_url(url).query
    return {name: value for name, value in _TIMEOUTS.items() if name not in named}


def _server_engine(url: str, writes: bool) -> Engine:
    try:
        made = create_engine(
            url,
            hide_parameters=True,  # an error's text never shows what was bound
            connect_args=connection_timeouts(url),
            pool_pre_ping=True,
            # No overflow: a connection made and thrown away each time costs more than to wait for one.
            pool_size=10,
            max_overflow=0,
            pool_timeout=60,
        )
    except ModuleNotFoundError as missing:
        raise OperatorError(
            N_(
                "OTN_DATABASE_URL names PostgreSQL, and {package} is not installed; run: "
                "pip install -r requirements-postgres.txt"
            ),
            package=missing.name,
        ) from missing
    session = WRITER_SETTINGS if writes else READER_SETTINGS

    @event.listens_for(made, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in session.items()))
        connection.autocommit = False
        connection.adapters.register_dumper(str, _without_nul())

    @event.listens_for(made, "handle_error")
    def _name_trouble(context: ExceptionContext) -> None:
        """Raise as OperationalError what passes by itself; psycopg has other errors for some of that."""
        if getattr(context.original_exception, "sqlstate", None) in _PASSING_STATES:
            said = OperationalError(context.statement, None, context.original_exception, hide_parameters=True)
            raise said from context.original_exception

    return made


@lru_cache
def _without_nul() -> Any:
    """A psycopg dumper that leaves NUL out of texts, since PostgreSQL stores none."""
    from psycopg.types.string import StrDumperUnknown

    class WithoutNul(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "") if "\0" in obj else obj)

    return WithoutNul


def sqlite_engine(file: Path) -> Engine:
    """An engine of writers for another SQLite file than this installation's. The caller disposes of it."""
    return _sqlite_engine(f"sqlite:///{quote(str(file))}", True)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _sqlite_engine(url: str, writes: bool) -> Engine:
    refuse_orphaned_log(Path(make_url(url).database or ""))
    folder = Path(make_url(url).database or "").parent
    if folder == settings().data_dir:  # any other missing folder is taken for a typing error
        folder.mkdir(parents=True, exist_ok=True)
    made = create_engine(
        url,
        hide_parameters=True,  # an error's text never shows what was bound
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        pool_size=20,
        max_overflow=40,
        pool_timeout=60,
    )

    @event.listens_for(made, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        # SQLite's own knows ASCII only, so that a search for "hàng" would miss "HÀNG".
        connection.create_function("lower", 1, _lower, deterministic=True)
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16384")
        cursor.execute(
            "PRAGMA secure_delete=ON"
        )  # what is deleted is overwritten, so that nothing is left of forgotten people
        cursor.execute("PRAGMA wal_autocheckpoint=4000")  # pages; a busy log is then copied back less often
        cursor.close()

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that later writes fails at once when another has written meanwhile.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made
