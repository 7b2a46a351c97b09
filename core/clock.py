"""The current time, and conversions of times. Nothing else reads the clock; rules and actions are given
`now`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def from_milliseconds(value: int) -> datetime:
    """A platform timestamp (milliseconds since 1970) in UTC. Raises ValueError or OverflowError when it is
    absurd."""
    return datetime.fromtimestamp(value / 1000, UTC)


def today_in(zone: str) -> date:
    """The date on which it is now in that zone."""
    return utc_now().astimezone(ZoneInfo(zone)).date()


def local_to_utc(naive: datetime, zone: str) -> datetime:
    """Convert the local time of a zone to UTC. A time that a change of clocks skips becomes the next real
    one."""
    return naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def same_local_time(at: datetime, zone: str, other: str) -> datetime:
    """The moment at which a clock in the other zone shows what one in this zone shows at `at`."""
    return local_to_utc(at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), other)


def parse_iso(text: str, zone: str) -> datetime:
    """Parse ISO 8601 to UTC; without an offset it is the local time of `zone`. Raises ValueError when it is
    not a time."""
    parsed = datetime.fromisoformat(text.strip())
    return parsed.astimezone(UTC) if parsed.tzinfo else local_to_utc(parsed, zone)
