"""IP addresses as proxies and sockets write them, and which of them are of the open internet."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](:\d+)?|(?P<four>[\d.]+):\d+")
# They lead on to IPv4 addresses, private ones among them (RFC 6052, 8215, 3056, 4291, 2765), and no shop
# is there; the last are of one site only (RFC 3879).
_NO_SHOP = [
    IPv6Network(each)
    for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96", "::ffff:0:0:0/96", "fec0::/10")
]


def find_address(written: str) -> IPv4Address | IPv6Address | None:
    """The address that is meant, without a port or zone (some proxies add the visitor's port); None for what
    is none. One of IPv4 is the same by whichever socket it came (::ffff:192.0.2.1)."""
    if found := _WITH_PORT.fullmatch(written.strip()):
        written = found["six"] or found["four"] or ""
    try:
        seen = ip_address(written.strip().partition("%")[0])
    except ValueError:
        return None
    return (seen.ipv4_mapped or seen) if isinstance(seen, IPv6Address) else seen


def plain_address(written: str) -> str:
    """The same as a text; what is no address stays as it is."""
    found = find_address(written)
    return written if found is None else str(found)


def is_public_ip(address: str) -> bool:
    """Whether an IPv4 or IPv6 address, which may name a zone, is of one host of the open internet. Raises
    ValueError when it is none."""
    found = ip_address(address.partition("%")[0])
    if found.is_multicast or not found.is_global:
        return False
    return found.version == 4 or not any(found in network for network in _NO_SHOP)
