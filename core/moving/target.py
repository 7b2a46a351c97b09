"""The far end of a move: reached by its address, proven empty and up to date, filled in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, delete, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlmodel import Session

from core.db import holding, migrations
from core.db.holding import HoldCode, HoldView
from core.db.tables import Hold, KeyCheck, Table, TokenKey
from core.encryption import lookup_hash
from core.errors import OperatorError, WrongState
from core.installation import key_check
from core.settings import database_url


class Target:
    """A PostgreSQL; its password shows nowhere."""

    def __init__(self, address: str) -> None:
        url = _url(address)
        self._password = url.password or ""
        self.place = _shown(url)
        self._engine = _engine(url)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commits when the block ends well; what goes wrong is told without any password."""
        try:
            with self._engine.begin() as connection:
                connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))
                yield connection
        except SQLAlchemyError as problem:
            raise self.refused(getattr(problem, "orig", None) or problem) from None

    def prepare(self) -> None:
        """A database without any table gets ours."""
        with self.transaction() as connection:
            if not inspect(connection).get_table_names():
                migrations.upgrade_other(connection)

    def refused(self, problem: BaseException) -> OperatorError:
        return OperatorError("The new database refused: {said}", said=self.said(problem))

    def said(self, problem: BaseException) -> str:
        """An error in words that show neither a password nor what was in a row."""
        diagnosis = getattr(problem, "diag", None)
        said = getattr(diagnosis, "message_primary", None) or str(problem) or type(problem).__name__
        column = re.search(r"column (\w+)", getattr(diagnosis, "context", None) or "")
        said = f"column {column[1]}: {said}" if column else said
        if self._password:
            said = said.replace(self._password, "***")
        return " ".join(said.split())[:300]

    def analyze(self) -> None:
        """Plans are poor until the database has looked at what arrived."""
        with self._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def take_over(connection: Connection) -> None:
    """Lock all tables of the new database until the commit. Raises WrongState unless they are empty; what an
    attempt that failed has left is deleted."""
    _check_ready(connection)
    names = [table.name for table in Table.metadata.sorted_tables]
    listed = ", ".join(f'"{name}"' for name in names)
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    connection.execute(text(f"LOCK TABLE {listed} IN ACCESS EXCLUSIVE MODE"))
    left_behind = hold_of(connection)
    if left_behind and left_behind.code == HoldCode.ARRIVING:
        connection.execute(text(f"TRUNCATE {listed}"))  # a move that failed; nothing was ever sent from it
    _take_over_key(connection)
    for name in names:
        if connection.execute(text(f'SELECT 1 FROM "{name}" LIMIT 1')).first():
            raise WrongState(
                "The new database is not empty ({table} has rows); name an empty one.", table=name
            )


def _take_over_key(connection: Connection) -> None:
    """Remove the key check that a process has left which was started there too early. Raises WrongState when
    its secret key was another one."""
    with Session(connection) as db:
        kept = key_check.kept_hash(db)
        if kept and kept != lookup_hash(key_check.PURPOSE):
            raise WrongState(
                "A process with another OTN_SECRET_KEY has been started on the new database. Give every "
                "process there the key of this one, and empty the table key_check there."
            )
        db.execute(delete(KeyCheck))
        db.execute(delete(TokenKey))
        db.flush()


def _check_ready(connection: Connection) -> None:
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise WrongState("The new database keeps texts as {encoding}; make one with UTF8.", encoding=encoding)
    refuse_old(connection)


def refuse_old(connection: Connection) -> None:
    """Raise WrongState unless a database is up to date."""
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision != migrations.head_revision():
        raise WrongState(
            "The new database is at revision {revision}, not {head}; with OTN_DATABASE_URL set to it "
            "run: python -m core migrate",
            revision=revision,
            head=migrations.head_revision(),
        )


def hold_of(connection: Connection) -> HoldView | None:
    """The hold of the new database, or None."""
    if not inspect(connection).has_table(Hold.__tablename__):
        return None
    with Session(connection) as db:
        return holding.read_hold(db)


def _url(address: str) -> URL:
    try:
        url = make_url(database_url(address))
    except (ArgumentError, ValueError):
        raise OperatorError(
            "Write the new database like postgresql+psycopg://user:password@host/name"
        ) from None
    if url.get_backend_name() != "postgresql":
        raise OperatorError("A move goes to PostgreSQL: postgresql+psycopg://user:password@host/name")
    return url


def _shown(url: URL) -> str:
    """The address as it may be shown: user, host and database, without options, which may hold secrets."""
    where = url.query.get("host") or url.host or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{url.username or ''}@{where}{port}/{url.database or ''}"


def _engine(url: URL) -> Engine:
    try:
        return create_engine(
            url, hide_parameters=True, poolclass=NullPool, connect_args={"connect_timeout": 10}
        )
    except ModuleNotFoundError:
        raise OperatorError(
            "A move needs the PostgreSQL driver; run: pip install -r requirements-postgres.txt"
        ) from None
