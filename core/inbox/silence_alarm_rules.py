"""Whether nothing is heard of customers although something went out to them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

UNANSWERED_FOR = timedelta(hours=3)  # even a small broadcast brings reports and reads within minutes
QUIET_FOR = timedelta(hours=24)  # somebody writes on any day on which requests were made the days before
REQUESTS_WITHIN = timedelta(days=7)


class Silence(StrEnum):
    NONE = ""
    UNANSWERED = "unanswered"  # something went out, and nothing has come since
    QUIET = "quiet"  # nothing has come for a day, although requests were made in the days before


@dataclass(frozen=True)
class Hearing:
    """When a fanpage's customers were last heard of, and when something last went out to them."""

    heard_at: datetime | None  # any webhook
    request_at: datetime | None  # an OTNR
    broadcast_at: datetime | None  # a start

    @property
    def out_at(self) -> datetime | None:
        return max((at for at in (self.request_at, self.broadcast_at) if at), default=None)

    def silence(self, now: datetime) -> Silence:
        """Silence is an alarm only when something should have been heard."""
        out_at, heard_at = self.out_at, self.heard_at
        if out_at and (heard_at is None or heard_at < out_at):
            return Silence.UNANSWERED if now - out_at >= UNANSWERED_FOR else Silence.NONE
        asked_lately = self.request_at is not None and now - self.request_at < REQUESTS_WITHIN
        if asked_lately and heard_at and now - heard_at >= QUIET_FOR:
            return Silence.QUIET
        return Silence.NONE
