"""Makes a backup of the running database into a file that a person names."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from core.accounts.activity_log import record
from core.accounts.authorising import EVERYTHING, authorise, authorise_early
from core.accounts.rules import Actor, Permission
from core.backups import copying, picture_copies
from core.backups.carrying_over import CarriedOver, carry_over
from core.backups.copying import BackupContent
from core.db import holding
from core.db.engine import transaction
from core.db.holding import HoldCode, read_hold
from core.db.tables import Backup
from core.errors import N_, OperatorError, WrongState
from core.installation import key_check, token_hash
from core.moving.target import Target, refuse_old
from core.settings import secret_key, settings
from core.text.normalise import storable


def make_backup(by: Actor, file: Path, *, now: datetime) -> BackupContent:
    """Copy the database into a new file and record it. Raises OperatorError, and leaves no file then."""
    authorise_early(by, Permission.ADMIN, EVERYTHING, now=now)
    refuse_postgresql()
    holding.refuse_if_moved()
    content = copying.copy_database(file, made_at=now)
    _copy_pictures(file)
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        db.add(
            Backup(made_at=now, place=storable(file.name)[:200], bytes=content.bytes, opt_ins=content.opt_ins)
        )
        record(db, by, "installation.backup", now=now, count=content.opt_ins)
    return content


def _copy_pictures(file: Path) -> None:
    try:
        picture_copies.copy_new(file)
    except OSError as problem:
        file.unlink(missing_ok=True)
        raise OperatorError(
            N_("The images could not be copied to {folder}: {why}"),
            folder=picture_copies.beside(file),
            why=problem.strerror or str(problem),
        ) from None


def carry_over_from(by: Actor, address: str, *, now: datetime) -> CarriedOver:
    """Carry over from the PostgreSQL that was used until now into the restored one of this process, which is
    held. Raises OperatorError."""
    authorise_early(by, Permission.ADMIN, EVERYTHING, now=now)
    key_check.refuse_another_key()
    target = Target(address)
    try:
        with target.transaction() as connection, transaction() as db, Session(connection) as source:
            authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
            _refuse_unless_restored(db)
            refuse_old(connection)
            refuse_stranger(source, db)
            done = carry_over(source, db, now=now)
            record(db, by, "installation.restore", now=now)
            return done
    finally:
        target.close()


def _refuse_unless_restored(db: Session) -> None:
    found = read_hold(db)
    if found is None or found.code != HoldCode.RESTORED:
        raise WrongState(N_("Hold the restored database first: python -m core hold"))


def refuse_stranger(source: Session, db: Session) -> None:
    """Raise WrongState when two databases are not of one installation."""
    kept = key_check.kept_hash(source)
    has_todays_key = kept in (None, key_check.hash_of_key(secret_key()))
    if not has_todays_key or token_hash.read_key(source) != token_hash.read_key(db):
        raise WrongState(
            N_(
                "The database that is there and the backup do not know each other's tokens: they belong to "
                "two installations. Move the database that is there out of the way, or restore into "
                "another folder."
            )
        )


def refuse_postgresql() -> None:
    """Raise WrongState where PostgreSQL keeps the data, which has its own tools for this."""
    if settings().is_postgresql:
        raise WrongState(
            N_(
                "PostgreSQL makes its own backups: pg_dump --format=custom, or what your provider offers. "
                "docs/backups.md has the commands, also for putting one back."
            )
        )
