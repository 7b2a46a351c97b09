"""The one place that asks what time it is. Rules and actions take `now` from their callers."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    return datetime.now(UTC)


def from_milliseconds(value: int) -> datetime:
    """A platform timestamp (ms since 1970) as aware UTC; ValueError or OverflowError when absurd."""
    return datetime.fromtimestamp(value / 1000, UTC)


def local_to_utc(naive: datetime, zone: str) -> datetime:
    """Wall-clock time of a zone as UTC. A time that a clock change skips becomes the next real one."""
    return naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def same_local_time(at: datetime, zone: str, other: str) -> datetime:
    """The moment at which a clock in the other zone shows what one in this zone shows at `at`."""
    return local_to_utc(at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), other)


def parse_iso(text: str, zone: str) -> datetime:
    """ISO 8601 to UTC; without an offset it is wall-clock time in `zone`. ValueError when it is no time."""
    parsed = datetime.fromisoformat(text.strip())
    return parsed.astimezone(UTC) if parsed.tzinfo else local_to_utc(parsed, zone)
