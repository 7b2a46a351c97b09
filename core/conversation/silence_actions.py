"""What staff do about the bot's silence after a colleague has answered a customer."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.conversation.silence_rules import is_silent
from core.db.engine import transaction
from core.db.tables import Customer, Fanpage
from core.errors import N_, NotFound


def end_silence(by: Actor, customer_id: int, *, now: datetime) -> bool:
    """Let the bot answer a customer again, until a colleague writes once more. False when it was not
    silent."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Customer, customer_id), now=now)
        chosen = select(Customer).where(col(Customer.id) == customer_id)
        customer = db.execute(chosen.with_for_update(key_share=True)).scalar_one_or_none()
        if customer is None:
            raise NotFound(N_("There is no customer {id}."), id=customer_id)
        hours = db.get_one(Fanpage, customer.fanpage_id).silent_hours
        if not is_silent(customer.colleague_at, customer.silence_ended_at, hours, now):
            return False
        customer.silence_ended_at = now
        fanpage_id = customer.fanpage_id
        record(db, by, "customer.end_silence", now=now, fanpage_id=fanpage_id, subject_id=customer_id)
        return True
