"""Topics whose opt-ins a broadcast is taking just now: nobody else may take them, or give it older ones."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.db.tables import Broadcast, Gathering, Topic
from core.errors import N_, WrongState

STILL_ADDING = N_("The audience is still being added; try again in a minute.")


def is_topic_free() -> ColumnElement[bool]:
    """No other broadcast is taking the topic's opt-ins: else the two would share its people at random."""
    other = aliased(Broadcast)
    return ~exists().where(
        col(Gathering.broadcast_id) == col(other.id), col(other.topic_id) == col(Broadcast.topic_id)
    )


def refuse_while_adding(db: Session, topic_id: int) -> None:
    """For what gives a topic older opt-ins: some of their people would be added, some not."""
    db.execute(select(col(Topic.id)).where(col(Topic.id) == topic_id).with_for_update(key_share=True))
    its = select(col(Gathering.broadcast_id)).join(
        Broadcast, col(Broadcast.id) == col(Gathering.broadcast_id)
    )
    if db.execute(its.where(col(Broadcast.topic_id) == topic_id)).first():
        raise WrongState(STILL_ADDING)
