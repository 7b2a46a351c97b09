"""Writes the activity log: a line for each action of staff or of the machine, in the action's transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts.rules import Actor
from core.db.tables import Activity

ONE_SITTING = timedelta(hours=1)  # one person's saves within it make one entry in the activity log


def record(
    db: Session,
    actor: Actor,
    verb: str,
    *,
    now: datetime,
    fanpage_id: int | None = None,
    subject_id: int | None = None,
    subject: str = "",
    **detail: object,
) -> None:
    """Add a line to the activity log. `verb` has the form "noun.verb"; `detail` holds JSON
    values, no secrets."""
    db.add(
        Activity(
            at=now,
            actor=actor.name,
            verb=verb,
            fanpage_id=fanpage_id,
            subject_id=subject_id,
            subject=subject[:200],
            detail=detail,
            address=actor.address,
            session_id=actor.session_id,
        )
    )


def fanpage_of_line(fanpage_ids: Collection[int] | None) -> int | None:
    """The fanpage of a line that concerns these (None: all of them): a line of several names none."""
    return next(iter(fanpage_ids)) if fanpage_ids is not None and len(fanpage_ids) == 1 else None


def is_same_sitting(db: Session, by: Actor, verbs: Collection[str], subject_id: int, now: datetime) -> bool:
    """Whether the log already says that this person has been writing this: the next save adds no line."""
    statement = select(col(Activity.id)).where(
        col(Activity.at) > now - ONE_SITTING,
        col(Activity.actor) == by.name,
        col(Activity.subject_id) == subject_id,
        col(Activity.verb).in_(verbs),
    )
    return db.execute(statement.limit(1)).first() is not None
