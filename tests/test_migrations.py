"""The migrations build exactly what tables.py declares."""

from alembic import command
from alembic.runtime.migration import MigrationContext

from core import migrations
from core.database import engine
from tests.databases import TestDatabase


def test_migrations_and_tables_agree(fresh_database: TestDatabase) -> None:
    command.check(migrations.config())  # raises when autogenerate would still change something


def test_upgrading_twice_changes_nothing(fresh_database: TestDatabase) -> None:
    before = migrations.current_revision()
    assert migrations.upgrade() == before


def test_a_database_is_brought_back_down_and_up_to_date_again(fresh_database: TestDatabase) -> None:
    head = migrations.current_revision()
    command.downgrade(migrations.config(), "base")
    assert migrations.upgrade() == head
    command.downgrade(migrations.config(), "base")
    with engine().connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() is None
