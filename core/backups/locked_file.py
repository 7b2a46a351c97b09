"""The SQLite file of this installation, locked so that nobody else reads or writes it while another database
is put into it.

The file stays the same one. A process that starts in the middle waits, and then finds what was put there;
were the file exchanged, it would write on into the former one, which nobody reads any more.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from core.db.orphaned_wal import refuse_orphaned_wal
from core.errors import N_, WrongState

_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextmanager
def locked(there: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection to the file, which is made empty where it is missing. Others are kept out until the block
    ends. None: it is so damaged that nobody can open it. Raises WrongState while anybody has it open."""
    refuse_orphaned_wal(there)
    os.close(os.open(there, os.O_WRONLY | os.O_CREAT, 0o600))
    with closing(sqlite3.connect(there, timeout=2, isolation_level=None)) as opened:
        yield opened if _is_locked(opened) else None


def _is_locked(opened: sqlite3.Connection) -> bool:
    try:
        opened.execute("PRAGMA locking_mode=EXCLUSIVE")
        opened.execute("PRAGMA journal_mode=DELETE")  # only possible when nobody else has it open
        opened.execute("BEGIN EXCLUSIVE")
        opened.execute("ROLLBACK")  # the lock stays
    except sqlite3.DatabaseError as problem:
        if getattr(problem, "sqlite_errorcode", None) in _IN_USE:
            raise WrongState(
                N_("The database is in use. Stop everything (also the panel) and repeat this.")
            ) from None
        return False
    return True


def copy_to(opened: sqlite3.Connection, file: Path) -> None:
    """Copy an open database into a new file. Raises FileExistsError; otherwise leaves none when it fails."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(file)) as copy:
            opened.backup(copy)
    except BaseException:
        file.unlink()
        raise


def put_into(opened: sqlite3.Connection, fresh: Path) -> None:
    """Put the content of another database into the locked file, wholly or not at all."""
    with closing(sqlite3.connect(fresh)) as source:
        source.execute("PRAGMA journal_mode=DELETE")
        source.backup(opened)
