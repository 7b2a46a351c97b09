"""The rows of Messenger profiles: read and written inside an action's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlmodel import Session, col

from core.conversation.profile.rules import Profile, read_profile, write_profile
from core.db import bulk
from core.db.tables import MessengerProfile


def profile_of(db: Session, fanpage_id: int) -> Profile:
    """The profile of a fanpage; an empty one before somebody wrote it."""
    statement = select(col(MessengerProfile.content)).where(col(MessengerProfile.fanpage_id) == fanpage_id)
    return read_profile(db.execute(statement).scalar_one_or_none() or {})


def put(db: Session, fanpage_id: int, profile: Profile, *, by: str, seen: int, now: datetime) -> bool:
    """Put a profile in the place of version `seen`; False when it is not the latest."""
    blank = {"fanpage_id": fanpage_id, "content": {}, "version": 0, "updated_at": now}
    db.execute(bulk.insert_new(MessengerProfile), [{**blank, "updated_by": "", "published_by": ""}])
    put = db.execute(
        update(MessengerProfile)
        .where(col(MessengerProfile.fanpage_id) == fanpage_id, col(MessengerProfile.version) == seen)
        .values(content=write_profile(profile), version=seen + 1, updated_by=by, updated_at=now)
    )
    return isinstance(put, CursorResult) and put.rowcount > 0


def note_published(db: Session, fanpage_id: int, version: int, *, by: str, now: datetime) -> None:
    """Facebook was seen to have this version."""
    db.execute(
        update(MessengerProfile)
        .where(col(MessengerProfile.fanpage_id) == fanpage_id)
        .values(published_version=version, published_by=by, published_at=now)
    )
