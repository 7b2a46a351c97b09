"""How long an operator's session lasts, and whether one is still good."""

from __future__ import annotations

from datetime import datetime, timedelta

SESSION_LIFETIME = timedelta(days=1)  # of the cookie, too
TICKET_LIFETIME = timedelta(seconds=30)  # from the sign-in to the cookie
KEEP_SESSIONS = timedelta(days=30)  # how long the row is kept
SEEN_EVERY = timedelta(minutes=5)  # how often it is noted that somebody is there


def session_is_good(signed_in_at: datetime, valid_after: datetime, now: datetime) -> bool:
    """Whether a session that began then is still valid."""
    return valid_after <= signed_in_at and now - signed_in_at < SESSION_LIFETIME
