"""How often one address may ask for something dear."""

import pytest

from pages.shell import call_limit
from pages.shell.call_limit import CallLimit


def test_an_address_is_taken_so_often_in_a_period():
    limit = CallLimit(2, 60)
    assert [limit.takes("203.0.113.9", 1000 + each) for each in range(3)] == [True, True, False]
    assert limit.takes("203.0.113.10", 1000)
    assert limit.takes("203.0.113.9", 1060)


@pytest.mark.parametrize("address", ["2001:db8::2", "[2001:db8::3]:80"])
def test_a_network_of_a_subscriber_counts_as_one(address):
    limit = CallLimit(1, 60)
    assert limit.takes("2001:db8::1", 0)
    assert not limit.takes(address, 1)


def test_made_up_addresses_take_no_memory_without_end(monkeypatch):
    monkeypatch.setattr(call_limit, "MOST_ADDRESSES", 10)
    limit = CallLimit(1, 60)
    assert all(limit.takes(f"203.0.113.{each}", 0) for each in range(200))
