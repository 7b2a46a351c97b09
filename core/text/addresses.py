"""Addresses of machines, as proxies and sockets write them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](:\d+)?|(?P<four>[\d.]+):\d+")


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
