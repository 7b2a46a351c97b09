"""Refuses to begin anew where an installation has been: something of it is there, and its database is empty.

A running database keeps what is new in its write-ahead log, a small shop nearly everything. A copy of the
file alone may hold no table at all. So the file is marked before there is a log: without a table it is such a
copy, unless a first start was cut short, which leaves a file of its own beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from core.db.engine import sqlite_file
from core.db.file_lock import file_lock
from core.errors import N_, OperatorError
from core.settings import secret_file, settings
from core.settings_sources import HOME

_MARK = 0x4F544E  # "OTN", SQLite's application_id


@contextmanager
def beginning_anew() -> Iterator[None]:
    """A block that makes the tables of a database without any. Raises OperatorError instead when an empty
    SQLite database lies beside what an installation leaves, or is a part of one."""
    file = sqlite_file()
    if settings().is_postgresql or not (file.parent.is_dir() or file.parent == settings().data_dir):
        yield
        return
    with file_lock(file.with_name(f".{file.name}.lock")) as is_alone:
        if not is_alone or _has_tables(file):  # another process is making them at this moment, or just has
            yield
            return
        begun = file.with_name(f".{file.name}.begun")
        _refuse_lost(file, was_cut_short=begun.exists())
        begun.touch(mode=0o600)
        _mark(file)
        yield
        begun.unlink(missing_ok=True)


def is_blank(file: Path) -> bool:
    """Whether there is no database yet. Asking SQLite would make the file."""
    return not file.exists() or file.stat().st_size == 0


def _refuse_lost(file: Path, *, was_cut_short: bool) -> None:
    if not was_cut_short and not is_blank(file) and _is_only_marked(file):
        raise OperatorError(
            N_(
                "{file} holds no table: it was copied without its write-ahead log ({file}-wal), where a "
                "database that is in use keeps what is new. Copy both while nothing runs, or restore a "
                "backup: python -m core restore FILE. Only to begin with nothing: move {file} away first."
            ),
            file=file,
        )
    if (trace := _trace()) is None:
        return
    usual = HOME / "data" / "otn.db"
    elsewhere = usual if usual != file and not is_blank(usual) else None
    raise OperatorError(
        N_(
            "{file} is empty, but {trace} is left of an installation: its database was lost, or copied "
            "without its write-ahead log.{hint} Put the database back, or restore a backup: python -m core "
            "restore FILE. Only to begin again with nothing: move {trace} away first."
        ),
        file=file,
        trace=trace,
        hint=f" There is one at {elsewhere}: name it by OTN_DATABASE_URL, or move it here."
        if elsewhere
        else "",
    )


def _trace() -> Path | None:
    """Something that is only there once the database was. A first start makes the database before it."""
    data, backups = settings().data_dir, settings().backup_folder
    found = [secret_file(), *backups.glob("otn-*.db"), *data.glob("pictures/*.*")]
    return next((path for path in found if path.exists()), None)


def _is_only_marked(file: Path) -> bool:
    tables = "SELECT count(*) FROM sqlite_master"
    return _number(file, "PRAGMA application_id") == _MARK and _number(file, tables) == 0


def _has_tables(file: Path) -> bool:
    made = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    return not is_blank(file) and _number(file, made) == 1


def _number(file: Path, query: str) -> int | None:
    """What a query of one number gives; None where the file is no database."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(file)) as opened:
        (found,) = opened.execute(query).fetchone()
        return int(found)
    return None


def _mark(file: Path) -> None:
    """Into the file itself, before there is a log."""
    if is_blank(file):
        with closing(sqlite3.connect(file)) as opened:
            opened.execute(f"PRAGMA application_id={_MARK}")
