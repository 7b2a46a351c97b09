"""Puts a backup in the place of the database, held, and carries over what must not be unlearned.

Everything is prepared in a file beside the database, whose content takes its place at the very end: whatever
goes wrong before leaves the installation as it was. The database is locked all the while, so that nothing is
written into it that would not be carried over.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from core.accounts.activity_log import record
from core.accounts.rules import COMMAND_LINE
from core.backups import copying, locked_file, picture_copies, rules
from core.backups.actions import refuse_postgresql, refuse_stranger
from core.backups.carrying_over import CarriedOver, carry_over
from core.backups.copying import BackupContent
from core.backups.restored import hold_as_restored
from core.db import migrations
from core.db.engine import forget_engines, sqlite_file
from core.db.file_lock import file_lock
from core.db.sqlite_engine import sqlite_engine
from core.errors import N_, OperatorError, WrongState
from core.installation import key_check, rekeying, token_hash
from core.settings import secret_key

_ENDS = ("", "-wal", "-shm")


@dataclass(frozen=True)
class RestoreResult:
    """What was restored, what was carried over from the database that was there, and where that one is now
    (None: there was none)."""

    content: BackupContent
    carried: CarriedOver | None
    former: Path | None
    pictures: int  # that were missing here and were put back


def restore(
    file: Path,
    *,
    now: datetime,
    say: Callable[[str], None],
    key: str | None = None,
    without_carrying_over: bool = False,
) -> RestoreResult:
    """Put a backup in the place of this installation's database, while nothing runs. `key`: the secret key
    that it was sealed with, if that is not today's. Raises OperatorError, and has changed nothing then."""
    refuse_postgresql()
    content = copying.read_content(file)
    there = sqlite_file()
    fresh = there.with_name(f".{there.name}.restoring")
    with file_lock(there.with_name(f".{there.name}.lock")) as is_alone:
        if not is_alone:
            raise WrongState(N_("This installation is already being restored by another command."))
        forget_engines()
        _remove(fresh)
        try:
            with locked_file.locked(there) as opened:
                _copy(file, fresh)
                say(f"{content.opt_ins:,} opt-ins are in the backup.")
                migrations.upgrade_file(fresh)
                source = None if without_carrying_over else _still_there(opened)
                carried = _prepare(fresh, there, source, key, now)
                former = _put_in_place(fresh, there, opened, now)
            return RestoreResult(content, carried, former, _put_back_pictures(file, say))
        finally:
            _remove(fresh)


def _put_back_pictures(file: Path, say: Callable[[str], None]) -> int:
    """The database is in its place by now, so a picture that cannot be copied is only said."""
    try:
        return picture_copies.put_back(file)
    except OSError as problem:
        say(f"Not all pictures could be put back from {picture_copies.beside(file)}: {problem}")
        return 0


def _copy(file: Path, fresh: Path) -> None:
    with closing(copying.open_file(file, writes=False)) as source:
        locked_file.copy_to(source, fresh)


def _still_there(opened: sqlite3.Connection | None) -> sqlite3.Connection | None:
    """The database that is there, if it holds anything."""
    try:
        if opened is None:
            raise sqlite3.DatabaseError("file is not a database")
        if not opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        migrations.refuse_newer(opened.execute("SELECT version_num FROM alembic_version").fetchone()[0])
        return opened
    except sqlite3.Error as problem:
        raise OperatorError(
            N_(
                "The database that is there can't be read ({why}), so nothing can be carried over "
                "from it. To restore all the same: --without-carrying-over; then forget again who "
                "was forgotten, and record again who said no, before you release."
            ),
            why=str(problem),
        ) from None


def _prepare(
    fresh: Path, there: Path, source: sqlite3.Connection | None, key: str | None, now: datetime
) -> CarriedOver | None:
    engine = sqlite_engine(fresh)
    try:
        _fit_key(engine, key)
        with Session(engine, expire_on_commit=False) as db, db.begin():
            hold_as_restored(db, now=now)
            carried = _carry_over(source, there, db, now) if source else None
            record(db, COMMAND_LINE, "installation.restore", now=now)
        return carried
    finally:
        engine.dispose()


def _carry_over(opened: sqlite3.Connection, there: Path, db: Session, now: datetime) -> CarriedOver:
    """Bring a copy of the former database up to date, so that both have the same tables, and read from it."""
    read = there.with_name(f".{there.name}.former")
    _remove(read)
    try:
        locked_file.copy_to(opened, read)
        migrations.upgrade_file(read)
        former = sqlite_engine(read)
        try:
            with Session(former) as source:
                refuse_stranger(source, db)
                return carry_over(source, db, now=now)
        finally:
            former.dispose()
    finally:
        _remove(read)


def _fit_key(engine: Engine, key: str | None) -> None:
    """Make sure that the secrets of the backup are sealed with today's key."""
    with Session(engine) as db, db.begin():
        kept = key_check.kept_hash(db)
        if kept is None or kept == key_check.hash_of_key(secret_key()):
            token_hash.store_key(db)
            return
        if key is None or kept != key_check.hash_of_key(key):
            raise WrongState(
                N_(
                    "The backup was encrypted with a different key than OTN_SECRET_KEY (or "
                    "data/secret.key). Put that key there before you restore; or, if the key was "
                    "changed by `rekey` since, name the file of the former one: --key FILE"
                )
            )
        rekeying.reseal_all(db, key, secret_key())
        token_hash.store_key(db, first=key)


def _put_in_place(fresh: Path, there: Path, opened: sqlite3.Connection | None, now: datetime) -> Path | None:
    former = there.with_name(rules.former_name(there, now)) if there.stat().st_size else None
    if opened is None:
        return _exchange(fresh, there, former)
    if former:
        locked_file.copy_to(opened, former)  # so that at no moment there is none
    try:
        locked_file.put_into(opened, fresh)
    except BaseException:
        if former:
            _remove(former)
        raise
    return former


def _exchange(fresh: Path, there: Path, former: Path | None) -> Path | None:
    """Put the file itself in the place of one that is too damaged to be opened by anybody."""
    with closing(sqlite3.connect(fresh)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if former:
        shutil.copy2(there, former)
        former.chmod(0o600)
    for end in ("-wal", "-shm"):
        there.with_name(there.name + end).unlink(missing_ok=True)
    os.replace(fresh, there)
    return former


def _remove(file: Path) -> None:
    for end in _ENDS:
        with suppress(OSError):
            file.with_name(file.name + end).unlink(missing_ok=True)
