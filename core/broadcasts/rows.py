"""What every write on a broadcast shares, inside the caller's transaction: find its row, and record it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts import activity_log
from core.accounts.rules import Actor
from core.db.tables import Broadcast
from core.errors import N_, NotFound


def get_row(db: Session, broadcast_id: int, *, lock: bool = False) -> Broadcast:
    broadcast = db.get(Broadcast, broadcast_id, with_for_update={"key_share": True} if lock else None)
    if broadcast is None:
        raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
    return broadcast


def record(
    db: Session, by: Actor, verb: str, broadcast: Broadcast, *, now: datetime, **detail: object
) -> None:
    activity_log.record(
        db,
        by,
        verb,
        now=now,
        fanpage_id=broadcast.fanpage_id,
        subject_id=broadcast.id,
        subject=broadcast.name,
        **detail,
    )
