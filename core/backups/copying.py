"""Copies a running SQLite database into a file of its own, and checks such a file by opening it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.db import migrations
from core.db.engine import sqlite_file
from core.db.sqlite_engine import BUSY_TIMEOUT_SECONDS
from core.errors import N_, OperatorError, WrongState


@dataclass(frozen=True)
class BackupContent:
    """What a backup holds, read from the file itself."""

    revision: str
    opt_ins: int
    bytes: int


def copy_database(target: Path, *, made_at: datetime) -> BackupContent:
    """Copy the database into a new file, check it, and only then give it its name. Others read and write
    meanwhile; what they write is not in the copy. Raises OperatorError."""
    if target.exists():
        raise WrongState(N_("{file} already exists; choose another file name."), file=target)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        fill(part, made_at)
        content = read_content(part)
        _write_through(part)
        os.link(part, target)  # never over a file that somebody made meanwhile
        _write_through(target.parent)
    except FileExistsError:
        raise WrongState(N_("{file} already exists; choose another file name."), file=target) from None
    except (OSError, sqlite3.Error) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise OperatorError(
            N_("The backup could not be written to {file}: {why}"), file=target, why=why
        ) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return content


def read_content(file: Path) -> BackupContent:
    """Open a backup and check all of it. Raises OperatorError when it is no sound database of ours."""
    with _refusing_damage(file), closing(open_file(file, writes=False)) as copy:
        (said,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(said)
        (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        (opt_ins,) = copy.execute("SELECT count(*) FROM opt_in").fetchone()
    migrations.refuse_newer(revision)
    return BackupContent(revision, opt_ins, file.stat().st_size)


def open_file(file: Path, *, writes: bool) -> sqlite3.Connection:
    """A connection to a SQLite file that exists, whatever signs its name has."""
    mode = "rw" if writes else "ro"
    opened = sqlite3.connect(f"{file.resolve().as_uri()}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT_SECONDS)
    opened.execute("PRAGMA query_only=1" if not writes else "PRAGMA secure_delete=1")
    return opened


@contextmanager
def _refusing_damage(file: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, TypeError) as problem:
        raise OperatorError(
            N_("{file} is not an intact backup of Notify Once: {why}"), file=file, why=str(problem)
        ) from None


def fill(part: Path, made_at: datetime) -> None:
    """Write the copy into an empty file, without checking it."""
    with closing(open_file(sqlite_file(), writes=True)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)  # in one step: a copy in several would begin anew whenever somebody writes
        copy.execute("PRAGMA journal_mode=DELETE")  # all of it is in the one file
        copy.execute("DELETE FROM heartbeat")
        values = (made_at.strftime("%Y-%m-%d %H:%M:%S.%f"),)
        copy.execute("INSERT INTO backup (made_at, place, bytes, opt_ins) VALUES (?, '', 0, 0)", values)
        copy.commit()


def _write_through(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
