"""Writes about customers by staff: lifting the marks that keep them out of audiences."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.customers import unreachable_marks
from core.db.engine import transaction
from core.db.tables import Broadcast, Customer
from core.errors import N_, NotFound


def lift_mark(by: Actor, customer_id: int, *, now: datetime) -> bool:
    """Lift the mark of a customer, so that broadcasts reach them again. False when there was none."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Customer, customer_id), now=now)
        owner = select(col(Customer.fanpage_id)).where(col(Customer.id) == customer_id)
        fanpage_id = db.execute(owner).scalar_one_or_none()
        if fanpage_id is None:
            raise NotFound(N_("There is no customer {id}."), id=customer_id)
        lifted = unreachable_marks.lift_marks(db, now, col(Customer.id) == customer_id)
        if lifted:
            record(db, by, "customer.lift_mark", now=now, fanpage_id=fanpage_id, subject_id=customer_id)
        return bool(lifted)


def lift_marks_of(by: Actor, broadcast_id: int, *, now: datetime) -> int:
    """Lift the marks that this broadcast has made. Returns how many."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = db.get(Broadcast, broadcast_id)
        if broadcast is None:
            raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
        lifted = unreachable_marks.lift_marks(
            db, now, *unreachable_marks.made_by(broadcast.fanpage_id, broadcast_id)
        )
        if lifted:
            record(
                db,
                by,
                "broadcast.lift_marks",
                now=now,
                fanpage_id=broadcast.fanpage_id,
                subject_id=broadcast_id,
                subject=broadcast.name,
                people=lifted,
            )
        return lifted
