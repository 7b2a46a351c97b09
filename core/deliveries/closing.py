"""Ends the queued deliveries of a broadcast, inside the caller's transaction. A token in doubt is never
released.

The caller has changed or locked the broadcast's row, so that no claim of its deliveries runs at the same
time.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.broadcasts.rules import BroadcastState
from core.consent import ledger as opt_ins
from core.db.tables import Broadcast, Delivery
from core.deliveries import ledger
from core.deliveries.rules import DeliveryState


def end_queued(db: Session, broadcast_id: int, state: DeliveryState, *, reason: str, now: datetime) -> int:
    """End the queued deliveries of a broadcast in `state` and release their opt-ins; those in doubt end as
    unknown and keep theirs. Returns how many opt-ins were released.

    Exactly the opt-ins of what this call has ended are released, whatever else happens at the same time.
    """
    ledger.end_queued_in_doubt(db, broadcast_id, reason=reason, now=now)
    unused = ledger.end_queued(db, broadcast_id, state, reason=reason, now=now)
    opt_ins.release(db, [each for each in unused if each], now=now)
    return len(unused)


def end_cancelled(db: Session, broadcast: Broadcast, now: datetime) -> int:
    """End what is still queued of a cancelled broadcast; do nothing to any other. Returns how many opt-ins
    were released."""
    if broadcast.state != BroadcastState.CANCELLED:
        return 0
    reason = broadcast.pause_code or "cancelled"
    return end_queued(db, broadcast.id or 0, DeliveryState.CANCELLED, reason=reason, now=now)


def count_unused(db: Session, broadcast_id: int) -> int:
    """How many opt-ins would be released if the broadcast ended now."""
    queued = col(Delivery.broadcast_id) == broadcast_id, col(Delivery.state) == DeliveryState.QUEUED
    unused = select(func.count(col(Delivery.opt_in_id))).where(*queued, col(Delivery.in_doubt).is_(False))
    return int(db.execute(unused).scalar_one())
