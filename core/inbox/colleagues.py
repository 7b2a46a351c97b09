"""Notices from echoes that a colleague has answered a customer, and keeps the bot silent for a while."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlmodel import Session, col

from core.conversation.rules import ReplyState
from core.conversation.silence_rules import is_silent
from core.db import bulk
from core.db.tables import Customer, Delivery, Fanpage, Reply
from core.messenger.event_contents import EchoContent
from core.messenger.wire import OUR_MARK
from core.text.normalise import storable

COLLEAGUE = "colleague"  # the reason of a reply that a colleague's answer has made needless


def is_ours(db: Session, fanpage_id: int, echo: EchoContent) -> bool:
    """Whether we sent the message of an echo: it carries our mark, our app's id, or an id that we know.

    The app's id is learnt from echoes that carry our mark. Without it a message of ours that came back
    without its mark, before its id was stored, would be taken for a colleague's.
    """
    fanpage = db.get_one(Fanpage, fanpage_id)
    if (echo.metadata or "").startswith(OUR_MARK):
        if echo.app_id and fanpage.app_id != echo.app_id:
            fanpage.app_id = storable(echo.app_id)[:64]
        return True
    if echo.app_id is not None and echo.app_id == fanpage.app_id:
        return True
    return echo.mid is not None and _is_known(db, storable(echo.mid))


def _is_known(db: Session, mid: str) -> bool:
    by_us = [
        exists().where(col(table.mid) == mid, col(table.mid).is_not(None)) for table in (Reply, Delivery)
    ]
    return bool(db.execute(select(or_(*by_us))).scalar())


def note_colleague(db: Session, fanpage_id: int, psid: str, *, at: datetime, now: datetime) -> None:
    """Record that a colleague wrote to a customer, whose row the caller has locked. What the bot has not sent
    yet is not sent any more."""
    customer = db.execute(
        select(Customer).where(col(Customer.fanpage_id) == fanpage_id, col(Customer.psid) == psid)
    ).scalar_one_or_none()
    if customer is None or (customer.colleague_at is not None and customer.colleague_at >= at):
        return
    customer.colleague_at = at
    hours = db.get_one(Fanpage, fanpage_id).silent_hours
    if is_silent(at, customer.silence_ended_at, hours, now):
        unsent = col(Reply.customer_id) == customer.id, col(Reply.state) == ReplyState.QUEUED
        skipped = {"state": ReplyState.SKIPPED, "reason": COLLEAGUE, "settled_at": now}
        db.execute(bulk.change(Reply, *unsent).values(skipped))
    db.flush()
