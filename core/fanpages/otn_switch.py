"""Switches one-time notifications off for a fanpage, and on again.

While they are off nobody is asked for an opt-in and no broadcast starts or goes on; opt-ins stay, and the bot
still answers. Meta may end OTN for a fanpage at any time: docs/otn-at-meta.md.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import transitions
from core.broadcasts.rules import OTN_OFF, BroadcastState
from core.db import row_locks
from core.db.engine import transaction
from core.db.tables import Broadcast, Fanpage
from core.db.work_queue import enqueue
from core.deliveries import recent_outcomes
from core.fanpages.rows import lock_fanpage, record


def switch_otn_off(by: Actor, fanpage_id: int, *, now: datetime) -> None:
    """Switch it off. Broadcasts that are being sent pause; their opt-ins stay with them."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.SENDING)
        row = lock_fanpage(db, fanpage_id)
        if row.otn_off_at is None:
            row.otn_off_at, row.otn_off_by, row.updated_at = now, by.name, now
            transitions.stop_all_of(db, fanpage_id, OTN_OFF, now=now)
            record(db, by, "fanpage.otn_off", row, now)


def switch_otn_on(by: Actor, fanpage_id: int, *, now: datetime) -> int:
    """Switch it on again. Returns how many broadcasts go on: those that the switch had paused."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.PAUSED)
        row = lock_fanpage(db, fanpage_id)
        if row.otn_off_at is None:
            return 0
        row.otn_off_at, row.otn_off_by, row.updated_at = None, "", now
        paused = _paused(db, fanpage_id)
        if row.stopped_code is not None:  # then they wait for the repair of the fanpage
            _wait_for_repair(db, paused, row.stopped_code)
            paused = []
        transitions.repair(db, paused, now=now)
        recent_outcomes.start_anew(db, fanpage_id, paused)
        record(db, by, "fanpage.otn_on", row, now, broadcasts=len(paused))
        enqueue(db, [fanpage_id])
        return len(paused)


def _paused(db: Session, fanpage_id: int) -> list[int]:
    mine = col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.pause_code) == OTN_OFF
    found = select(col(Broadcast.id)).where(*mine, col(Broadcast.state) == BroadcastState.PAUSED)
    return [each or 0 for each in db.scalars(found)]


def _wait_for_repair(db: Session, broadcast_ids: list[int], code: str) -> None:
    for broadcast_id in broadcast_ids:
        db.get_one(Broadcast, broadcast_id).pause_code = code
