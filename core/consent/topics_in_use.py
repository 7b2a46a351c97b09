"""Topics whose opt-ins are just being reserved by a broadcast: meanwhile no other broadcast may take them,
and no older opt-ins may be added."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.db.tables import AudienceProgress, Broadcast, Topic
from core.errors import N_, WrongState

STILL_ADDING = N_("The audience is still being added; try again in a minute.")


def is_topic_free() -> ColumnElement[bool]:
    """Whether no other broadcast is reserving the topic's opt-ins: two at once would share them out at
    random."""
    other = aliased(Broadcast)
    return ~exists().where(
        col(AudienceProgress.broadcast_id) == col(other.id), col(other.topic_id) == col(Broadcast.topic_id)
    )


def refuse_while_adding(db: Session, topic_id: int) -> None:
    """Raise WrongState while a broadcast is reserving the topic's opt-ins. For actions that give a topic
    older opt-ins: some of those customers would be added to the audience, others not."""
    db.execute(select(col(Topic.id)).where(col(Topic.id) == topic_id).with_for_update(key_share=True))
    its = select(col(AudienceProgress.broadcast_id)).join(
        Broadcast, col(Broadcast.id) == col(AudienceProgress.broadcast_id)
    )
    if db.execute(its.where(col(Broadcast.topic_id) == topic_id)).first():
        raise WrongState(STILL_ADDING)
