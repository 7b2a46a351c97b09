"""What writes on a broadcast share, inside the caller's transaction: find its row, name it, record it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core.accounts import activity_log
from core.accounts.rules import Actor
from core.broadcasts import draft_rules
from core.db.tables import Broadcast, Fanpage, Topic
from core.errors import N_, NotFound
from core.settings import settings
from core.text.written_times import write_time


def get_row(db: Session, broadcast_id: int, *, lock: bool = False) -> Broadcast:
    broadcast = db.get(Broadcast, broadcast_id, with_for_update={"key_share": True} if lock else None)
    if broadcast is None:
        raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
    return broadcast


def clean_name(db: Session, name: str, topic: Topic, now: datetime) -> str:
    """A name as it is kept; without one the topic and the fanpage's time, in the installation's language."""
    zone = ZoneInfo(db.get_one(Fanpage, topic.fanpage_id).timezone)
    at = write_time(now.astimezone(zone), settings().language)
    return draft_rules.clean_name(name, draft_rules.default_name(topic.name, at))


def add_draft(
    db: Session, by: Actor, topic: Topic, name: str, content: dict[str, Any], now: datetime
) -> Broadcast:
    """The only place that makes a broadcast's row."""
    broadcast = Broadcast(
        fanpage_id=topic.fanpage_id,
        topic_id=topic.id or 0,
        name=clean_name(db, name, topic, now),
        content=content,
        created_by=by.name,
        created_at=now,
        updated_at=now,
    )
    db.add(broadcast)
    db.flush()
    return broadcast


def way_out(*, saves_opt_ins: bool) -> str:
    """What a broadcast keeps of how its messages leave."""
    usual: str = Broadcast.model_fields["sender"].default
    return draft_rules.OPT_IN_SAVER if saves_opt_ins else usual


def record(
    db: Session, by: Actor, verb: str, broadcast: Broadcast, *, now: datetime, **detail: object
) -> None:
    activity_log.record(
        db,
        by,
        verb,
        now=now,
        fanpage_id=broadcast.fanpage_id,
        subject_id=broadcast.id,
        subject=broadcast.name,
        **detail,
    )
