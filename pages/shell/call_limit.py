"""How often strangers may ask for what costs more than a page: so many calls of an address in a time."""

from __future__ import annotations

from collections import Counter

from core.accounts.rules import counted_address

MOST_ADDRESSES = 50_000  # so that the count itself takes no memory to speak of


class CallLimit:
    """Takes `most` calls of an address in each period of so many seconds. It is kept in this process alone:
    of several panels each counts its own."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._period = 0
        self._calls: Counter[str] = Counter()

    def forget(self) -> None:
        """Count from nothing again."""
        self._calls.clear()

    def takes(self, address: str, now: float) -> bool:
        """Count a call of this address at this time (in seconds). Whether it may go on."""
        if int(now // self._seconds) != self._period or len(self._calls) >= MOST_ADDRESSES:
            self._period = int(now // self._seconds)
            self.forget()
        self._calls[counted_address(address)] += 1
        return self._calls[counted_address(address)] <= self._most
