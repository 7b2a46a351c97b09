"""Marks from before they had evidence: it is looked up, and a later acceptance makes them firm."""

from __future__ import annotations

import pytest
from alembic import command

from core.customers.unreachable_mark_queries import get_mark
from core.db import migrations
from tests.customers.conftest import BLOCKED, Shop

BEFORE = "0011"


@pytest.fixture
def upgrade(shop: Shop):
    """Marks as they were made until then: at the time of the settle, with a code alone."""

    def down_and_up() -> None:
        shop.database.run("UPDATE customer SET unreachable_at = NULL")
        command.downgrade(migrations.config(), BEFORE)
        shop.database.run(
            "UPDATE customer SET unreachable_code = delivery.reason, unreachable_at = delivery.settled_at"
            " FROM delivery WHERE delivery.customer_id = customer.id AND delivery.state = 'failed'"
        )
        migrations.upgrade()

    return down_and_up


def test_a_mark_that_a_later_acceptance_followed_is_firm_and_has_its_evidence(shop: Shop, upgrade) -> None:
    early, late = shop.customer(), shop.customer()
    at = shop.studio.now
    (claim,) = shop.refuse(early)
    accepted_at = shop.studio.now
    shop.accept(shop.customer())
    shop.refuse(late)
    upgrade()
    firm, tentative = get_mark(early), get_mark(late)
    assert (firm.code, firm.at, firm.detail, firm.firm_at) == ("blocked", at, BLOCKED.detail, accepted_at)
    assert firm.broadcast_id == claim.broadcast_id
    assert (tentative.code, tentative.firm_at) == ("blocked", None)


def test_an_acceptance_of_another_fanpage_confirms_nothing(shop: Shop, upgrade) -> None:
    gone = shop.customer()
    shop.refuse(gone)
    shop.accept(shop.customer())
    other = shop.studio.arrange.fanpage()
    shop.database.run(f"UPDATE broadcast SET fanpage_id = {other} WHERE id = 2")
    upgrade()
    assert get_mark(gone).firm_at is None


def test_a_mark_of_a_reply_is_kept_without_a_broadcast(shop: Shop) -> None:
    customer = shop.customer(unreachable_code="gone", unreachable_at=shop.studio.now)
    command.downgrade(migrations.config(), BEFORE)
    migrations.upgrade()
    mark = get_mark(customer)
    assert (mark.code, mark.broadcast_id, mark.detail, mark.firm_at) == ("gone", None, "", None)
