"""The Messenger profile of a fanpage as it is here."""

from __future__ import annotations

from core.conversation.messenger_profile import rows
from core.conversation.messenger_profile.rows import ProfileView
from core.db.engine import reading


def get_profile(fanpage_id: int) -> ProfileView:
    with reading() as db:
        return rows.view_of(db, fanpage_id)
