"""The activity log: one line per deed of staff or of the machine, inside the deed's own transaction."""

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
    """`verb` is "noun.verb"; `detail` holds plain JSON values, never a secret."""
    db.add(
        Activity(
            at=now,
            actor=actor.name,
            verb=verb,
            fanpage_id=fanpage_id,
            subject_id=subject_id,
            subject=subject[:200],
            detail=detail,
        )
    )
