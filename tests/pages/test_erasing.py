"""A customer is erased by an admin, who has read what that means and has typed a proof."""

from datetime import timedelta

import pytest

from core.clock import utc_now
from tests.pages.shown import all_words, keys, press


@pytest.fixture
def lan(arrange, fanpage):
    lan = arrange.customer(fanpage, "Lan", last_name="Nguyễn", psid="25000000000001234")
    topic = arrange.topic(fanpage)
    for _ in range(2):
        arrange.opt_in(topic, lan, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=1))
    return lan


def test_an_admin_erases_a_customer_after_reading_and_typing(panel, lan, fresh_database):
    at = press(panel("customer", role="admin", id=lan), "customer_erase")
    assert "2 unused opt-ins will be lost" in all_words(at)
    at.text_input(key="customer_forget_typed").set_value("4321").run()
    press(at, "customer_forget_confirm")
    assert "These are not the last 4 digits" in " ".join(error.value for error in at.error)
    assert fresh_database.count("customer") == 1
    at.text_input(key="customer_forget_typed").set_value("1234").run()
    press(at, "customer_forget_confirm")
    assert fresh_database.count("customer") == 0
    assert "This customer does not exist (any more)." in " ".join(each.value for each in at.warning)


def test_only_an_admin_is_offered_it(panel, lan):
    for role in ("viewer", "editor", "sender"):
        assert "customer_erase" not in keys(panel("customer", role=role, id=lan).button)


def test_lists_say_that_somebody_was_erased(panel, lan, fanpage):
    at = press(panel("customer", role="admin", id=lan), "customer_erase")
    at.text_input(key="customer_forget_typed").set_value("1234").run()
    press(at, "customer_forget_confirm")
    words = all_words(panel("opt_ins"))
    assert words.count(">Erased customer<") == 2
    assert "customer?id=" not in words
    assert "permanently erased a customer" in all_words(panel("activity"))
