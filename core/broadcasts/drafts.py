"""Drafts on their way: kept as far as they have come, so that a closed tab loses nothing.

What is missing is asked for when the draft is scheduled or launched, not while it is being written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlmodel import Session, col

from core import activity
from core.accounts.rules import Actor, Permission
from core.broadcasts import drafting
from core.broadcasts.canary import LARGEST
from core.broadcasts.rules import BroadcastState
from core.conversation.rules import BlockKind
from core.database import reading, transaction
from core.errors import N_, Invalid, NotFound, WrongState, problem
from core.tables import Activity, Broadcast, Fanpage, Topic

BLANK: dict[str, Any] = {"kind": BlockKind.TEXT.value, "text": "", "fallback": ""}
USUAL_SPAN = timedelta(hours=12)
ONE_SITTING = timedelta(hours=1)  # saves of one person within it are one line of the activity log


@dataclass(frozen=True)
class Draft:
    """`span` is how long after its start the broadcast may still be sent; None: without limit."""

    id: int
    fanpage_id: int
    topic_id: int
    name: str
    content: dict[str, Any]
    due_at: datetime | None  # None: as soon as it is launched
    span: timedelta | None
    state: str
    first_part: int = 0  # so many go first, and their outcome decides about the rest

    def best_before(self, now: datetime) -> datetime | None:
        return (self.due_at or now) + self.span if self.span else None


def get_draft(broadcast_id: int) -> Draft:
    """Any broadcast, read as the draft it is or was."""
    with reading() as db:
        row = db.get(Broadcast, broadcast_id)
    if row is None:
        raise _gone(broadcast_id)
    start = row.due_at or row.updated_at
    span = row.best_before - start if row.best_before else None
    return Draft(
        id=broadcast_id,
        fanpage_id=row.fanpage_id,
        topic_id=row.topic_id,
        name=row.name,
        content=row.content,
        due_at=row.due_at,
        span=span,
        state=row.state,
        first_part=row.canary_size,
    )


def begin_draft(by: Actor, *, topic_id: int, name: str = "", now: datetime) -> int:
    """A blank draft for those who agreed to a topic."""
    by.require(Permission.EDIT)
    with transaction() as db:
        topic = _open_topic(db, topic_id)
        broadcast = Broadcast(
            fanpage_id=topic.fanpage_id,
            topic_id=topic_id,
            name=_named(db, name, topic, now),
            content=dict(BLANK),
            best_before=now + USUAL_SPAN,
            created_by=by.name,
            created_at=now,
            updated_at=now,
        )
        db.add(broadcast)
        db.flush()
        _record(db, by, "broadcast.create", broadcast.id or 0, broadcast.fanpage_id, broadcast.name, now)
        return broadcast.id or 0


def keep_draft(by: Actor, draft: Draft, *, now: datetime) -> None:
    """Save a draft as it is now; only one that is still a draft can be changed."""
    by.require(Permission.EDIT)
    if draft.content.get("kind") not in drafting.CONTENT_KINDS:
        raise Invalid(drafting.check_content(draft.content))
    if not 0 <= draft.first_part <= LARGEST:
        raise Invalid([problem("size", N_("The first part has 0 to {limit} people."), limit=LARGEST)])
    with transaction() as db:
        kept = db.get(Broadcast, draft.id)
        if kept is None:
            raise _gone(draft.id)
        topic = db.get(Topic, draft.topic_id) if kept.topic_id == draft.topic_id else None
        topic = topic or _open_topic(db, draft.topic_id)
        name = _named(db, draft.name, topic, now)
        _write(db, draft, topic.fanpage_id, name, now)
        if not _in_the_same_sitting(db, by, draft.id, now):
            _record(db, by, "broadcast.change", draft.id, topic.fanpage_id, name, now)


def _write(db: Session, draft: Draft, fanpage_id: int, name: str, now: datetime) -> None:
    moved = db.execute(
        update(Broadcast)
        .where(col(Broadcast.id) == draft.id, col(Broadcast.state) == BroadcastState.DRAFT)
        .values(
            topic_id=draft.topic_id,
            fanpage_id=fanpage_id,
            name=name,
            content=drafting.clean_content(draft.content),
            due_at=draft.due_at,
            best_before=draft.best_before(now),
            canary_size=draft.first_part,
            updated_at=now,
        )
        .returning(col(Broadcast.id))
        .execution_options(synchronize_session=False)
    )
    if moved.first() is None:
        raise WrongState(N_("Only a draft can be changed; put the broadcast back to draft first."))


def _open_topic(db: Session, topic_id: int) -> Topic:
    topic = db.get(Topic, topic_id)
    if topic is None:
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    if topic.archived_at:
        words = N_("The topic “{name}” is archived; restore it or choose another one.")
        raise Invalid([problem("topic_id", words, name=topic.name)])
    return topic


def _named(db: Session, name: str, topic: Topic, now: datetime) -> str:
    zone = ZoneInfo(db.get_one(Fanpage, topic.fanpage_id).timezone)
    return drafting.clean_name(name, topic.name, now.astimezone(zone))


def _in_the_same_sitting(db: Session, by: Actor, broadcast_id: int, now: datetime) -> bool:
    verbs = ["broadcast.create", "broadcast.change", "broadcast.copy"]
    statement = select(col(Activity.id)).where(
        col(Activity.at) > now - ONE_SITTING,
        col(Activity.actor) == by.name,
        col(Activity.subject_id) == broadcast_id,
        col(Activity.verb).in_(verbs),
    )
    return db.execute(statement.limit(1)).first() is not None


def _record(
    db: Session, by: Actor, verb: str, broadcast_id: int, fanpage_id: int, name: str, now: datetime
) -> None:
    activity.record(db, by, verb, now=now, fanpage_id=fanpage_id, subject_id=broadcast_id, subject=name)


def _gone(broadcast_id: int) -> NotFound:
    return NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
