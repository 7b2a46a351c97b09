"""What every write on a broadcast shares, inside the caller's transaction: find it, step it, record it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col

from core import activity
from core.accounts.rules import Actor
from core.broadcasts.rules import STEPS, Step
from core.errors import N_, NotFound, WrongState
from core.tables import Broadcast


def take_step(db: Session, broadcast_id: int, step: Step, now: datetime) -> Broadcast:
    """Take a step if the state allows it; the WHERE decides, so two clicks are one."""
    sources, target = STEPS[step]
    moved = db.execute(
        update(Broadcast)
        .where(col(Broadcast.id) == broadcast_id, col(Broadcast.state).in_(sorted(sources)))
        .values(state=target, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    broadcast = get_row(db, broadcast_id)
    if isinstance(moved, CursorResult) and moved.rowcount == 0:
        raise WrongState(N_("The broadcast is {state}, so this step is not possible."), state=broadcast.state)
    db.refresh(broadcast)
    return broadcast


def get_row(db: Session, broadcast_id: int, *, lock: bool = False) -> Broadcast:
    broadcast = db.get(Broadcast, broadcast_id, with_for_update={"key_share": True} if lock else None)
    if broadcast is None:
        raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
    return broadcast


def record(
    db: Session, by: Actor, verb: str, broadcast: Broadcast, *, now: datetime, **detail: object
) -> None:
    activity.record(
        db,
        by,
        verb,
        now=now,
        fanpage_id=broadcast.fanpage_id,
        subject_id=broadcast.id,
        subject=broadcast.name,
        **detail,
    )
