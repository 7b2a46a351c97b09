"""The migration that makes five tables anew keeps what is in them."""

from __future__ import annotations

from alembic import command

from core.db import migrations
from core.installation import key_check
from tests.customers.forgetting.people import Shop, everything_in


def down_and_up() -> None:
    command.downgrade(migrations.config(), "0016")
    migrations.upgrade()


def test_every_row_survives(shop: Shop, fresh_database):
    shop.well_known()
    # Who was told of the end of a broadcast of before counts as told.
    told = "UPDATE broadcast SET told_at = updated_at, seen_at = updated_at WHERE state = 'finished'"
    fresh_database.run(told)
    before = everything_in(fresh_database)
    down_and_up()
    key_check.forget_checked()
    key_check.refuse_another_key()  # stores the key of the tokens' hashes, which 0016 did not know, once more
    assert everything_in(fresh_database) == before
    assert shop.arrange.customer(shop.fanpage_id) > max(shop.others)


def test_the_way_back_drops_what_counts_without_a_customer(shop: Shop, fresh_database):
    shop.well_known()
    shop.forget()
    down_and_up()
    for table in ("delivery", "opt_in", "request"):
        assert fresh_database.rows(f"SELECT count(*) FROM {table} WHERE customer_id IS NULL") == [(0,)]
    assert (fresh_database.count("delivery"), fresh_database.count("forgotten")) == (2, 0)
