"""Ends the queued deliveries of a broadcast, inside the caller's transaction. A token in doubt is never
released.

The caller has changed or locked the broadcast's row, so that no claim of its deliveries runs at the same
time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.broadcasts.rules import BroadcastState, is_too_late
from core.consent import ledger as opt_in_ledger
from core.db import bulk
from core.db.tables import Broadcast, Delivery
from core.deliveries import ledger
from core.deliveries.rules import DeliveryState


def end_queued(
    db: Session,
    broadcast_id: int,
    state: DeliveryState,
    *,
    reason: str,
    now: datetime,
    among: Collection[int] | None = None,
) -> int:
    """End the queued deliveries of a broadcast in `state` and release their opt-ins; those in doubt end as
    unknown and keep theirs. With `among`, only deliveries with these ids. Returns how many opt-ins were
    released: exactly those of what this call has ended, whatever else happens at the same time.
    """
    whose = [col(Delivery.broadcast_id) == broadcast_id]
    if among is not None:
        whose.append(col(Delivery.id).in_(bulk.among(among)))
    unused = ledger.end_queued(db, state, *whose, reason=reason, now=now)
    opt_in_ledger.release(db, unused, now=now)
    return len(unused)


def end_cancelled(db: Session, broadcast: Broadcast, now: datetime) -> int:
    """End what is still queued of a cancelled broadcast; do nothing to any other. Returns how many opt-ins
    were released."""
    if broadcast.state != BroadcastState.CANCELLED:
        return 0
    return end_queued(db, broadcast.id or 0, DeliveryState.CANCELLED, reason=_why(broadcast), now=now)


def end_if_over(db: Session, broadcast_ids: Collection[int], among: Collection[int], now: datetime) -> None:
    """End those of the deliveries in `among`, queued again just now, whose broadcast was cancelled or is past
    its best-before. The others of such a broadcast are for the clock: they may be hundreds of thousands."""
    chosen = select(Broadcast).where(col(Broadcast.id).in_(broadcast_ids))
    for each in db.execute(chosen.execution_options(populate_existing=True)).scalars().all():
        if each.state == BroadcastState.CANCELLED:
            ended, reason = DeliveryState.CANCELLED, _why(each)
        elif is_too_late(each.best_before, now):
            ended, reason = DeliveryState.SKIPPED, "too_late"
        else:
            continue
        end_queued(db, each.id or 0, ended, reason=reason, now=now, among=among)


def _why(cancelled: Broadcast) -> str:
    return cancelled.pause_code or "cancelled"


def count_unused(db: Session, broadcast_id: int) -> int:
    """How many opt-ins would be released if the broadcast ended now."""
    queued = col(Delivery.broadcast_id) == broadcast_id, col(Delivery.state) == DeliveryState.QUEUED
    unused = select(func.count(col(Delivery.opt_in_id))).where(*queued, col(Delivery.in_doubt).is_(False))
    return int(db.execute(unused).scalar_one())
