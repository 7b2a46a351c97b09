"""What people who are not signed in may take of the panel's memory: so many connections, of so many bytes.

Everybody who opens the sign-in form holds a connection for as long as the form is open, and a connection may
hold half a message for as long as it likes.
"""

from __future__ import annotations

from collections import Counter

from core.accounts.rules import counted_address

MOST_BY_ADDRESS = 60  # an office behind one address, each with a few tabs whose session has ended
MOST_IN_ALL = 200  # each with half a message of `server.maxMessageSize`: 400 MB
MOST_BYTES = 64_000  # of one message: the form sends a name, a password and a code


class Strangers:
    """Counts the open connections of people who are not signed in."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def let_in(self, address: str) -> bool:
        """Count a connection from this address. False, and nothing is counted, when there are too many."""
        counted = counted_address(address)
        if self._open[counted] >= MOST_BY_ADDRESS or self._open.total() >= MOST_IN_ALL:
            return False
        self._open[counted] += 1
        return True

    def let_go(self, address: str) -> None:
        """A connection that was let in has ended."""
        counted = counted_address(address)
        self._open[counted] -= 1
        if self._open[counted] <= 0:
            del self._open[counted]
