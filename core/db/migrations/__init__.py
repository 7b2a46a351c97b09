"""Brings the database up to date. Alembic is configured here, without an alembic.ini."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from core.db import holding
from core.db.engine import engine
from core.db.tables import Hold


def config() -> Config:
    """Alembic's configuration."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def upgrade(revision: str = "head") -> str:
    """Apply the missing migrations and return the revision reached. It may be repeated, and run by two
    processes at once."""
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


def head_revision() -> str | None:
    """The revision that this version of the code needs."""
    return ScriptDirectory.from_config(config()).get_current_head()


def current_revision() -> str | None:
    """The revision of the database, or None for an empty one."""
    with engine().connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
