"""What writes about a fanpage share, inside an action's transaction: its locked row, its line in the log."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts import activity_log
from core.accounts.rules import Actor
from core.db.tables import Fanpage
from core.errors import N_, NotFound


def lock_fanpage(db: Session, fanpage_id: int) -> Fanpage:
    """The row of a fanpage, locked until the end of the transaction. Raises NotFound."""
    row = db.get(Fanpage, fanpage_id, with_for_update={"key_share": True})
    if row is None:
        raise NotFound(N_("This fanpage is no longer connected."))
    return row


def record(db: Session, by: Actor, verb: str, row: Fanpage, now: datetime, **detail: object) -> None:
    """Add a line about a fanpage to the activity log."""
    activity_log.record(
        db, by, verb, now=now, fanpage_id=row.id, subject_id=row.id, subject=row.name, **detail
    )
