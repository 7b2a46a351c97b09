"""The migrations build exactly what the tables declare."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, select

from core.db import migrations
from core.db.engine import engine, reading
from core.db.tables import OptIn, Withdrawal
from tests.databases import Databases, TestDatabase, used


def test_migrations_and_tables_agree(fresh_database: TestDatabase) -> None:
    command.check(migrations.config())  # raises when autogenerate would still change something


def test_upgrading_twice_changes_nothing(fresh_database: TestDatabase) -> None:
    before = migrations.current_revision()
    assert migrations.upgrade() == before


def test_a_no_from_before_withdrawals_were_kept_is_remembered(fresh_database, arrange, now) -> None:
    """Staff had withdrawn a customer; a file has brought an opt-in back since, and another came by a tap."""
    fanpage = arrange.fanpage()
    roses, tulips = arrange.topic(fanpage, "Hoa hồng"), arrange.topic(fanpage, "Hoa tulip")
    lan, mai = arrange.customer(fanpage), arrange.customer(fanpage, "Mai")

    def opt_in(topic: int, customer: int, **more: object) -> int:
        return arrange.opt_in(topic, customer, fanpage_id=fanpage, **more)

    no = {"state": "withdrawn", "settled_at": now - timedelta(days=2)}
    ids = [
        opt_in(roses, lan, consented_at=now - timedelta(days=9), **no),
        opt_in(roses, lan, consented_at=now - timedelta(days=5)),
        opt_in(roses, lan, consented_at=now - timedelta(days=1), source="import"),
        opt_in(tulips, lan, consented_at=now - timedelta(days=1)),
        opt_in(tulips, lan, consented_at=now - timedelta(hours=1), source="import"),
        opt_in(roses, mai, consented_at=now - timedelta(days=5)),
    ]
    command.downgrade(migrations.config(), "0011")
    migrations.upgrade()

    with reading() as db:
        states = [db.get_one(OptIn, each).state for each in ids]
        [said] = db.execute(select(Withdrawal)).scalars()
    assert states == ["withdrawn"] * 3 + ["available"] * 3
    assert (said.customer_id, said.topic_id, said.source, said.at) == (lan, None, "staff", no["settled_at"])


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


_QUEUE = """
    SELECT table_name || '.' || column_name, concat_ws(' ', data_type, column_default, is_nullable)
    FROM information_schema.columns WHERE table_name ~ '^procrastinate'
    UNION SELECT indexname, indexdef FROM pg_indexes WHERE tablename ~ '^procrastinate'
    UNION SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid::regclass::text ~ '^procrastinate'
    UNION SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname ~ '^procrastinate'
    UNION SELECT oid::regprocedure::text, pg_get_functiondef(oid) FROM pg_proc
    WHERE proname ~ '^procrastinate'
    UNION SELECT typname || '.' || enumlabel, enumsortorder::text
    FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid WHERE typname ~ '^procrastinate'
    ORDER BY 1, 2"""


@pytest.mark.postgresql
def test_a_fresh_queue_and_one_that_was_upgraded_are_alike(
    databases: Databases, fresh_database: TestDatabase, tmp_path: Path
) -> None:
    older = databases.blank(tmp_path)
    with used(tmp_path, older.url):
        command.upgrade(migrations.config(), "0011")
        assert len(older.rows(_QUEUE)) > 50
        migrations.upgrade()
    assert older.rows(_QUEUE) == fresh_database.rows(_QUEUE)
    databases.done(older)


@pytest.mark.one_database
def test_the_installed_queue_has_the_schema_that_existing_databases_have() -> None:
    """When this fails, a newer procrastinate needs a revision with what its sql/migrations bring, which does
    nothing where revision 0003 has already made the newer schema."""
    from procrastinate.schema import SchemaManager

    schema = hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()
    assert schema == "c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009"


def _kind(statement: str) -> str:
    if "SELECT alembic_version" in statement:
        return "read the revision"
    return "make a table" if "CREATE TABLE" in statement else "other"
