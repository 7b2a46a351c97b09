"""What customers did that a database had not applied yet: a "stop" may be among it. The former database's is
carried over. The restored one's may have been answered after the backup, so it is applied without an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import bulk
from core.db.tables import Event
from core.inbox.rules import EventState

ROWS_AT_ONCE = 500
_WAITING = (EventState.PENDING, EventState.FAILED)


def keep_waiting(source: Session, db: Session) -> int:
    """Add the events that wait there, or have failed, and that the restored database does not know. Returns
    how many."""
    added = 0
    waiting = select(Event).where(bulk.one_of(col(Event.state), _WAITING)).order_by(col(Event.id))
    for rows in source.execute(waiting).scalars().partitions(ROWS_AT_ONCE):
        known = _known(db, rows)
        new = [row for row in rows if (row.page_id, row.dedupe_key) not in known]
        db.add_all(Event(**row.model_dump(exclude={"id"})) for row in new)
        added += len(new)
    db.flush()
    return added


def answer_no_waiting(db: Session, *, now: datetime) -> None:
    """Let the events that wait in a restored database be applied as replays, which answer nobody: the bot may
    have answered them since the backup."""
    waiting = col(Event.state) == EventState.PENDING
    db.execute(bulk.change(Event, waiting, col(Event.replayed_at).is_(None)).values(replayed_at=now))


def _known(db: Session, rows: Sequence[Event]) -> set[tuple[str, str]]:
    keys = [row.dedupe_key for row in rows]
    same = select(col(Event.page_id), col(Event.dedupe_key)).where(col(Event.dedupe_key).in_(keys))
    return {(page_id, key) for page_id, key in db.execute(same)}
