"""Ends what is still queued, inside the caller's transaction. A token in doubt is never released.

The caller holds the broadcast's row (it changed it, or locked it), so that no claim runs beside this.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.broadcasts.rules import BroadcastState
from core.consent import ledger as opt_ins
from core.deliveries import ledger
from core.deliveries.rules import DeliveryState
from core.tables import Broadcast, Delivery


def end_queued(db: Session, broadcast_id: int, state: DeliveryState, *, reason: str, now: datetime) -> int:
    """Queued deliveries end in `state` and give their opt-ins back; those in doubt become `unknown`.

    Exactly what was ended is released, whatever else happens at the same time. Returns how many.
    """
    ledger.end_queued_in_doubt(db, broadcast_id, reason=reason, now=now)
    unused = ledger.end_queued(db, broadcast_id, state, reason=reason, now=now)
    opt_ins.release(db, [each for each in unused if each], now=now)
    return len(unused)


def end_cancelled(db: Session, broadcast: Broadcast, now: datetime) -> int:
    """What is still queued of a cancelled broadcast, and nothing of any other. Returns how many."""
    if broadcast.state != BroadcastState.CANCELLED:
        return 0
    reason = broadcast.pause_code or "cancelled"
    return end_queued(db, broadcast.id or 0, DeliveryState.CANCELLED, reason=reason, now=now)


def count_unused(db: Session, broadcast_id: int) -> int:
    """How many opt-ins ending it now gives back."""
    queued = col(Delivery.broadcast_id) == broadcast_id, col(Delivery.state) == DeliveryState.QUEUED
    unused = select(func.count(col(Delivery.opt_in_id))).where(*queued, col(Delivery.in_doubt).is_(False))
    return int(db.execute(unused).scalar_one())
