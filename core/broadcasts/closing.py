"""Ends what is still queued, inside the caller's transaction. A token in doubt is never released."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from core.broadcasts.rules import DeliveryState
from core.consent import ledger
from core.tables import Delivery


def end_queued(db: Session, broadcast_id: int, state: DeliveryState, *, reason: str, now: datetime) -> int:
    """Queued deliveries end in `state` and give their opt-ins back; those in doubt become `unknown`.

    Returns how many opt-ins went back.
    """
    _end(db, broadcast_id, True, DeliveryState.UNKNOWN, reason, now)
    freed = select(col(Delivery.opt_in_id)).where(
        col(Delivery.broadcast_id) == broadcast_id,
        col(Delivery.state) == DeliveryState.QUEUED,
        col(Delivery.in_doubt).is_(False),
    )
    returned = ledger.release_chosen(db, freed)
    _end(db, broadcast_id, False, state, reason, now)
    return returned


def _end(
    db: Session, broadcast_id: int, in_doubt: bool, state: DeliveryState, reason: str, now: datetime
) -> None:
    db.execute(
        update(Delivery)
        .where(
            col(Delivery.broadcast_id) == broadcast_id,
            col(Delivery.state) == DeliveryState.QUEUED,
            col(Delivery.in_doubt).is_(in_doubt),
        )
        .values(state=state, reason=reason, settled_at=now, next_try_at=None)
        .execution_options(synchronize_session=False)
    )
