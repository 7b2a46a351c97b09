"""The rows of Messenger profiles: read and written inside an action's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlmodel import Session, col

from core.conversation.messenger_profile.rules import Profile, read_profile, write_profile
from core.db import bulk
from core.db.tables import MessengerProfile


@dataclass(frozen=True)
class ProfileView:
    """A profile with its version, and who has changed and published it last. Version 0: nobody wrote it."""

    profile: Profile
    version: int
    updated_by: str
    updated_at: datetime | None
    published_version: int | None
    published_by: str
    published_at: datetime | None


def view_of(db: Session, fanpage_id: int) -> ProfileView:
    row = db.get(MessengerProfile, fanpage_id)
    if row is None:
        return ProfileView(Profile(), 0, "", None, None, "", None)
    return ProfileView(
        read_profile(row.content),
        row.version,
        row.updated_by,
        row.updated_at,
        row.published_version,
        row.published_by,
        row.published_at,
    )


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
