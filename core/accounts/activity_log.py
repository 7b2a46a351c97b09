"""Writes the activity log: a line for each action of staff or of the machine, in the action's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts.rules import Actor
from core.db.tables import Activity


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
