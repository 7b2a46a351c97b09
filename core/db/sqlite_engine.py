"""How SQLite is opened: WAL, synchronous=FULL; writers begin with BEGIN IMMEDIATE, one after the other."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url

from core.db.orphaned_wal import refuse_orphaned_wal
from core.settings import settings

BUSY_TIMEOUT_SECONDS = 15


def sqlite_engine(file: Path) -> Engine:
    """An engine of writers for another SQLite file than this installation's. The caller disposes of it."""
    return make_engine(f"sqlite:///{quote(str(file))}", writes=True)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _strpos(text: str | None, sought: str | None) -> int | None:
    return None if text is None or sought is None else text.find(sought) + 1


def make_engine(url: str, *, writes: bool) -> Engine:
    """The engine of the database at this address. Raises OperatorError when its log lies elsewhere."""
    refuse_orphaned_wal(Path(make_url(url).database or ""))
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
        connection.create_function("strpos", 2, _strpos, deterministic=True)  # as PostgreSQL calls it
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
