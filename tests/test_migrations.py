"""The migrations build exactly what tables.py declares."""

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

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


def test_what_is_missing_is_decided_and_made_in_one_transaction(fresh_database: TestDatabase) -> None:
    """Two processes that start at once would else both see that a table is missing."""
    command.downgrade(migrations.config(), "base")
    steps: list[str] = []
    event.listen(engine(), "begin", lambda _: steps.append("begin"))
    event.listen(engine(), "commit", lambda _: steps.append("commit"))
    event.listen(engine(), "before_cursor_execute", lambda *given: steps.append(_kind(given[2])))
    command.upgrade(migrations.config(), "head")
    first, last = steps.index("read the revision"), len(steps) - steps[::-1].index("make a table")
    assert [step for step in steps[:first] if step != "other"][-1] == "begin"
    assert "commit" not in steps[first:last]


def _kind(statement: str) -> str:
    if "SELECT alembic_version" in statement:
        return "read the revision"
    return "make a table" if "CREATE TABLE" in statement else "other"
