"""What other rooms have to know of a fanpage's entry points and of what they lead to."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session, col

from core.conversation.entry_kinds.registry import COMPOSED
from core.db.tables import EntryPoint, Message


def webhook_fields(db: Session, fanpage_id: int) -> tuple[str, ...]:
    """The webhook fields that the entry points need besides those that every fanpage needs."""
    kinds = db.execute(
        select(col(EntryPoint.kind)).where(col(EntryPoint.fanpage_id) == fanpage_id).distinct()
    ).scalars()
    return tuple(sorted({COMPOSED[kind].webhook_field for kind in kinds if kind in COMPOSED} - {""}))


def message_ids(db: Session, fanpage_id: int) -> set[int]:
    """The messages that the menu may lead to: in use, and published."""
    statement = select(col(Message.id)).where(
        col(Message.fanpage_id) == fanpage_id,
        col(Message.archived_at).is_(None),
        col(Message.translation_of_id).is_(None),
        col(Message.published) > 0,
    )
    return {id_ for id_ in db.execute(statement).scalars() if id_}
