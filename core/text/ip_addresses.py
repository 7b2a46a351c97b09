"""Which IP addresses are of the open internet."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_address

# They lead on to IPv4 addresses, private ones among them (RFC 6052, 8215, 3056, 4291, 2765), and no shop
# is there.
_TRANSLATED = [
    IPv6Network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96", "::ffff:0:0:0/96")
]


def is_public_ip(address: str) -> bool:
    """Whether an IPv4 or IPv6 address, which may name a zone, is of one host of the open internet. Raises
    ValueError when it is none."""
    found = ip_address(address.partition("%")[0])
    if found.is_multicast or not found.is_global:
        return False
    return found.version == 4 or not any(found in network for network in _TRANSLATED)
