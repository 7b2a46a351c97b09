"""Brings the database up to date. Alembic is configured here, without an alembic.ini."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from core.db import holding
from core.db.engine import engine, reading, sqlite_file
from core.db.lost_database import beginning_anew, is_blank
from core.db.orphaned_wal import refuse_orphaned_wal
from core.db.sqlite_engine import sqlite_engine
from core.db.tables import Hold
from core.errors import N_, WrongState
from core.settings import settings


def config() -> Config:
    """Alembic's configuration."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def upgrade(revision: str = "head") -> str:
    """Apply the missing migrations and return the revision reached. It may be repeated, and run by two
    processes at once."""
    found = current_revision()
    refuse_newer(found)
    if found is None:
        with beginning_anew():
            command.upgrade(config(), revision)
    else:
        _refuse_if_moved()
        command.upgrade(config(), revision)
    return current_revision() or ""


def upgrade_other(connection: Connection) -> None:
    """Apply the missing migrations to another database, in the connection's transaction."""
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")


def _refuse_if_moved() -> None:
    """A migration that makes a table anew would lose the triggers that keep a moved database closed."""
    if inspect(engine()).has_table(Hold.__tablename__):
        holding.refuse_if_moved()


def upgrade_file(file: Path) -> str:
    """Apply the missing migrations to another SQLite file and return the revision reached."""
    made = config()
    made.attributes["engine"] = other = sqlite_engine(file)
    try:
        command.upgrade(made, "head")
    finally:
        other.dispose()
    return head_revision() or ""


def refuse_unless_current() -> None:
    """Raise WrongState when the database needs `migrate`, or a newer version of this program."""
    current = current_revision()
    refuse_newer(current)
    if current != head_revision():
        raise WrongState(N_("The database is not up to date; run: python -m core migrate"))


def refuse_newer(revision: str | None) -> None:
    """Raise WrongState for the revision of a database that a newer version of this program has written."""
    if revision and revision not in known_revisions():
        raise WrongState(
            N_(
                "The database is at revision {revision}, which this version of Notify Once does not know: a "
                "newer one has been used with it. Go back to that version (git pull, or your former release) "
                "and start again; nothing has been changed."
            ),
            revision=revision,
        )


@lru_cache
def known_revisions() -> set[str]:
    """The revisions that this version of the code knows."""
    return {each.revision for each in ScriptDirectory.from_config(config()).walk_revisions()}


@lru_cache
def head_revision() -> str | None:
    """The revision that this version of the code needs."""
    return ScriptDirectory.from_config(config()).get_current_head()


def current_revision() -> str | None:
    """The revision of the database, or None for an empty one, which this does not make."""
    if not settings().is_postgresql and is_blank(sqlite_file()):
        refuse_orphaned_wal(sqlite_file())
        return None
    with reading() as db:
        return MigrationContext.configure(db.connection()).get_current_revision()
