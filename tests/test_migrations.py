"""The migrations build exactly what tables.py declares."""

from datetime import timedelta

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from core import migrations
from core.database import engine, reading
from core.tables import OptIn, Withdrawal
from tests.databases import TestDatabase


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
