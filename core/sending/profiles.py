"""Learns the names of customers who wrote to us, a few at a time; never a condition for sending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.database import reading, transaction
from core.messenger.client import Messenger
from core.sending.replies import keep_profile
from core.tables import Customer, Fanpage

AT_ONCE = 20


def learn_some(messenger_for: Callable[[int], Messenger], *, now: datetime) -> int:
    """Ask for up to 20 names that nobody has asked for yet; returns how many were asked."""
    nameless = _nameless()
    for customer_id, fanpage_id, psid in nameless:
        profile = messenger_for(fanpage_id).profile(psid)
        with transaction() as db:
            keep_profile(db, customer_id, psid, profile, now)
    return len(nameless)


def _nameless() -> list[tuple[int, int, str]]:
    with reading() as db:
        rows = db.execute(
            select(col(Customer.id), col(Customer.fanpage_id), col(Customer.psid))
            .join(Fanpage, col(Fanpage.id) == col(Customer.fanpage_id))
            .where(
                col(Customer.profile_at).is_(None),
                col(Customer.last_event_at).is_not(None),
                col(Fanpage.stopped_code).is_(None),
            )
            .order_by(col(Customer.last_event_at).desc(), col(Customer.id).desc())
            .limit(AT_ONCE)
        )
        return [(customer_id or 0, fanpage_id, psid) for customer_id, fanpage_id, psid in rows]
