"""Shared fixtures: a real database built by the real migrations, a fixed clock, a few business words.

Every test that uses `fresh_database` runs on SQLite and on PostgreSQL, unless it is marked
`sqlite` or `postgresql` (it is about that one) or `one_database` (it would prove nothing twice).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

for _name in [name for name in os.environ if name.startswith("OTN_")]:
    del os.environ[_name]  # nothing of the developer's own settings reaches a test
os.environ["OTN_ENV_FILE"] = ""
# How long an example takes says how busy the machine is, and nothing of the code. Where changes are judged
# (hosts of such runs set CI), the examples are the same each time; elsewhere each run tries new ones.
hypothesis.settings.register_profile("without_deadline", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("without_deadline")

from core.db import engine, postgresql_engine, timed_cache  # noqa: E402
from core.fanpages import connection  # noqa: E402
from core.installation import key_check  # noqa: E402
from core.settings import settings  # noqa: E402
from tests import shadowed_tables as shadowed_tables  # noqa: E402  (it looks at every statement)
from tests.arrange import Arrange  # noqa: E402
from tests.databases import KINDS, Databases, PostgresqlServer, SqliteFiles, TestDatabase, use  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    choices = (*KINDS, "both")
    parser.addoption(
        "--database", choices=choices, default="both", help="databases to test on (default both)"
    )


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {config.getoption('database')}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", _kinds(metafunc), scope="session")


def _kinds(metafunc: pytest.Metafunc) -> list[str]:
    wanted = metafunc.config.getoption("database")
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    kinds = [kind for kind in KINDS if wanted in (kind, "both") and not marks & set(KINDS) - {kind}]
    return kinds[:1] if "one_database" in marks else kinds


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("migrated"))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    server = PostgresqlServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def databases(database_kind: str, request: pytest.FixtureRequest) -> Databases:
    """Makes databases of the kind that this run of the test is about."""
    return request.getfixturevalue("sqlite_files" if database_kind == "sqlite" else "postgresql_server")


@pytest.fixture
def fresh_database(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestDatabase]:
    """This test's own database; the process's settings point at it."""
    made = databases.fresh(tmp_path)
    monkeypatch.chdir(tmp_path)  # no .env of the developer's is read
    use(monkeypatch, tmp_path, made.url)
    # A busy machine may hold up this process for seconds in the middle of a transaction.
    monkeypatch.setitem(postgresql_engine.WRITER_SETTINGS, "idle_in_transaction_session_timeout", "1min")
    yield made
    engine.forget_engines()
    key_check.forget_checked()
    connection.forget_connections()
    settings.cache_clear()
    databases.done(made)


@pytest.fixture
def restart(fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """This process has these settings from now on, as if it had just started: `restart(secret_key=...)`."""
    key_check.forget_checked()
    connection.forget_connections()

    def use(**given: str) -> None:
        for name, value in given.items():
            monkeypatch.setenv(f"OTN_{name.upper()}", value)
        settings.cache_clear()
        key_check.forget_checked()

    return use


@pytest.fixture(autouse=True)
def remembers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long on a busy machine is not remembered from one look to the next."""
    monkeypatch.setattr(timed_cache, "DEAR_SECONDS", float("inf"))


@pytest.fixture(autouse=True)
def keeps_its_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is tried leaves itself as `__main__`, which a process that is started later would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def arrange(fresh_database: TestDatabase, now: datetime) -> Arrange:
    """Makes rows in business words: `arrange.fanpage()`, `arrange.opt_in(topic)`."""
    return Arrange(now)


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    """The id of a connected fanpage."""
    return arrange.fanpage()


@pytest.fixture
def topic(arrange: Arrange, fanpage: int) -> int:
    """The id of a topic of that fanpage."""
    return arrange.topic(fanpage)
