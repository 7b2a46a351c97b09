"""Ends what is still queued, inside the caller's transaction. A token in doubt is never released.

The caller holds the broadcast's row (it changed it, or locked it), so that no claim runs beside this.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Update, update
from sqlmodel import Session, col

from core.broadcasts.rules import DeliveryState
from core.consent import ledger
from core.tables import Delivery


def end_queued(db: Session, broadcast_id: int, state: DeliveryState, *, reason: str, now: datetime) -> int:
    """Queued deliveries end in `state` and give their opt-ins back; those in doubt become `unknown`.

    Exactly what was ended is released, whatever else happens at the same time. Returns how many.
    """
    db.execute(_ending(broadcast_id, True, DeliveryState.UNKNOWN, reason, now))
    ended = _ending(broadcast_id, False, state, reason, now).returning(col(Delivery.opt_in_id))
    return ledger.release(db, list(db.execute(ended).scalars()), now=now)


def _ending(broadcast_id: int, in_doubt: bool, state: DeliveryState, reason: str, now: datetime) -> Update:
    return (
        update(Delivery)
        .where(
            col(Delivery.broadcast_id) == broadcast_id,
            col(Delivery.state) == DeliveryState.QUEUED,
            col(Delivery.in_doubt).is_(in_doubt),
        )
        .values(state=state, reason=reason, settled_at=now, next_try_at=None)
        .execution_options(synchronize_session=False)
    )
