"""What people who are not signed in may take of the panel's memory."""

from __future__ import annotations

from pages.shell.strangers import MOST_BY_ADDRESS, MOST_IN_ALL, Strangers


def test_an_address_has_its_ceiling_and_a_network_of_ipv6_is_one_address():
    strangers = Strangers()
    assert all(strangers.let_in(f"2001:db8::{n:x}") for n in range(MOST_BY_ADDRESS))
    assert not strangers.let_in("2001:db8::ffff:1")
    assert strangers.let_in("2001:db8:0:1::1")
    strangers.let_go("2001:db8::5")
    assert strangers.let_in("2001:db8::ffff:1")


def test_all_addresses_together_have_a_ceiling():
    strangers = Strangers()
    addresses = [f"192.0.2.{n}" for n in range(MOST_IN_ALL)]
    assert all(strangers.let_in(address) for address in addresses)
    assert not strangers.let_in("203.0.113.1")
    strangers.let_go(addresses[0])
    assert strangers.let_in("203.0.113.1")


def test_whoever_was_refused_is_not_counted():
    strangers = Strangers()
    for _ in range(MOST_BY_ADDRESS + 5):
        strangers.let_in("192.0.2.1")
    for _ in range(MOST_BY_ADDRESS):
        strangers.let_go("192.0.2.1")
    assert all(strangers.let_in("192.0.2.1") for _ in range(MOST_BY_ADDRESS))
    assert not strangers.let_in("192.0.2.1")
