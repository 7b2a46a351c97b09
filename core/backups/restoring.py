"""Puts a backup in the place of the database, held, and carries over what must not be unlearned.

Everything is prepared in a file beside the database, which takes its place at the very end: whatever goes
wrong before leaves the installation as it was.
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

from sqlalchemy import Engine, delete
from sqlmodel import Session

from core.accounts.activity_log import record
from core.accounts.rules import COMMAND_LINE
from core.backups import copying, picture_copies, rules
from core.backups.actions import refuse_postgresql, refuse_stranger
from core.backups.carrying_over import CarriedOver, carry_over
from core.backups.copying import BackupContent
from core.db import holding, migrations
from core.db.engine import forget_engines, sqlite_file
from core.db.holding import HoldCode
from core.db.sqlite_engine import sqlite_engine
from core.db.tables import OperatorSession
from core.errors import N_, OperatorError, WrongState
from core.installation import key_check, rekeying, token_hash
from core.installation.file_lock import file_lock
from core.sending.replies import claims as reply_claims
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
        _refuse_running(there)
        _remove(fresh)
        try:
            _copy(file, fresh)
            say(f"{content.opt_ins:,} opt-ins are in the backup.")
            migrations.upgrade_file(fresh)
            carried = _prepare(fresh, None if without_carrying_over else _still_there(there), key, now)
            former = _put_in_place(fresh, there, now)
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
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(copying.open_file(file, writes=False)) as source, closing(sqlite3.connect(fresh)) as copy:
        source.backup(copy)


def _still_there(there: Path) -> Path | None:
    """The database that is there, if it holds anything."""
    if not there.exists() or there.stat().st_size == 0:
        return None
    try:
        with closing(copying.open_file(there, writes=True)) as opened:
            known = opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            if known:
                migrations.refuse_newer(
                    opened.execute("SELECT version_num FROM alembic_version").fetchone()[0]
                )
            return there if known else None
    except sqlite3.Error as problem:
        raise OperatorError(
            N_(
                "The database that is there can't be read ({why}), so nothing can be carried over "
                "from it. To restore all the same: --without-carrying-over; then forget again who "
                "was forgotten, and record again who said no, before you release."
            ),
            why=str(problem),
        ) from None


def _prepare(fresh: Path, there: Path | None, key: str | None, now: datetime) -> CarriedOver | None:
    engine = sqlite_engine(fresh)
    try:
        _fit_key(engine, key)
        with Session(engine, expire_on_commit=False) as db, db.begin():
            holding.lift_hold(db)
            holding.place_hold(db, HoldCode.RESTORED, now=now)
            db.execute(delete(OperatorSession))  # some of them were ended since
            reply_claims.end_restored(db, now=now)
            carried = _carry_over(there, db, now) if there else None
            record(db, COMMAND_LINE, "installation.restore", now=now)
        return carried
    finally:
        engine.dispose()


def _carry_over(there: Path, db: Session, now: datetime) -> CarriedOver:
    """Bring a copy of the former database up to date, so that both have the same tables, and read from it."""
    read = there.with_name(f".{there.name}.former")
    _remove(read)
    try:
        _copy(there, read)
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


def _refuse_running(there: Path) -> None:
    """Raise WrongState while anybody has the database open, for they would write on into the former file."""
    if not there.exists():
        return
    with closing(sqlite3.connect(there, timeout=2, isolation_level=None)) as opened:
        try:
            opened.execute("PRAGMA locking_mode=EXCLUSIVE")
            opened.execute("PRAGMA journal_mode=DELETE")  # only possible when nobody else has it open
            opened.execute("PRAGMA journal_mode=WAL")
        except sqlite3.DatabaseError as problem:
            if getattr(problem, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise WrongState(
                    N_("The database is in use. Stop everything (also the panel) and repeat this.")
                ) from None


def _put_in_place(fresh: Path, there: Path, now: datetime) -> Path | None:
    forget_engines()
    with closing(sqlite3.connect(fresh)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    former = None
    if there.exists() and there.stat().st_size:
        former = there.with_name(rules.former_name(there, now))
        shutil.copy2(there, former)  # so that at no moment there is none
        former.chmod(0o600)
    for end in ("-wal", "-shm"):
        there.with_name(there.name + end).unlink(missing_ok=True)
    os.replace(fresh, there)
    return former


def _remove(file: Path) -> None:
    for end in _ENDS:
        with suppress(OSError):
            file.with_name(file.name + end).unlink(missing_ok=True)
