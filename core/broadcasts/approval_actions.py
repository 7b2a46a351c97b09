"""Whoever may not launch a draft themselves asks those who may to look at it."""

from __future__ import annotations

from datetime import datetime

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import versions
from core.broadcasts.readiness import refuse_unready
from core.broadcasts.rows import get_row, record
from core.broadcasts.rules import BroadcastState
from core.db.engine import transaction
from core.db.tables import Broadcast
from core.errors import N_, WrongState


def ask_for_approval(by: Actor, broadcast_id: int, *, version: int | None = None, now: datetime) -> None:
    """Ask for the approval of a finished draft; it stays asked for until somebody launches it. To ask once
    more changes nothing. `version` is the one that was looked at, as in `schedule`."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Broadcast, broadcast_id), now=now)
        row = get_row(db, broadcast_id, lock=True)
        if row.state != BroadcastState.DRAFT:
            raise WrongState(N_("Only a draft needs approval; this broadcast is no longer a draft."))
        versions.refuse_if_changed(row, version)
        refuse_unready(db, row)
        if row.asked_by == by.name:
            return
        row.asked_by, row.asked_at = by.name, now
        record(db, by, "broadcast.ask_approval", row, now=now, version=row.version)
