"""The Messenger profile of a fanpage as it is here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.conversation.profile.rules import Profile, read_profile
from core.db.engine import reading
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


def get_profile(fanpage_id: int) -> ProfileView:
    with reading() as db:
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
