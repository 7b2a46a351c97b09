"""Sessions of operators, as a browser has them that has traded its ticket."""

from __future__ import annotations

from datetime import datetime

from core.accounts import sessions
from core.clock import utc_now
from core.db.engine import transaction


def key_of(operator_id: int, at: datetime | None = None, *, address: str = "", browser: str = "") -> str:
    """Begin a session; what stands in its cookie."""
    now = at or utc_now()
    with transaction() as db:
        _id, ticket = sessions.begin_session(db, operator_id, address=address, browser=browser, now=now)
    return sessions.trade_ticket(ticket, now=now)


def session_of(operator_id: int, at: datetime | None = None, **more: str) -> str:
    """Begin a session; by what it is found."""
    return sessions.hash_of(key_of(operator_id, at, **more))
