"""The migrations build exactly what tables.py declares."""

from pathlib import Path

from alembic import command
from alembic.runtime.migration import MigrationContext

from core import migrations
from core.database import engine, forget_engines
from core.settings import settings


def test_migrations_and_tables_agree(database_file: Path) -> None:
    command.check(migrations.config())  # raises when autogenerate would still change something


def test_upgrading_twice_changes_nothing(database_file: Path) -> None:
    before = migrations.current_revision()
    assert migrations.upgrade() == before


def test_an_empty_database_is_brought_up_to_date_and_back_down(tmp_path, monkeypatch, database_file) -> None:
    monkeypatch.setenv("OTN_DATABASE_URL", f"sqlite:///{tmp_path}/fresh.db")
    settings.cache_clear()
    forget_engines()
    migrations.upgrade()
    command.downgrade(migrations.config(), "base")
    with engine().connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() is None
