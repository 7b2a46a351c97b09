"""Staff write a fanpage's Messenger profile. Publishing it: core/fanpages/profile_publishing.py."""

from __future__ import annotations

from datetime import datetime

from core.accounts.activity_log import is_same_sitting, record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.conversation.messenger_profile import rows
from core.conversation.messenger_profile.rules import Profile, clean_profile
from core.db.engine import transaction
from core.db.tables import Fanpage
from core.errors import N_, WrongState

_VERB = "fanpage.change_profile"


def save_profile(by: Actor, fanpage_id: int, profile: Profile, *, seen: int, now: datetime) -> int:
    """Keep a profile as it is typed, finished or not, in the place of version `seen`. Returns its version."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        if not rows.put(db, fanpage_id, clean_profile(profile), by=by.name, seen=seen, now=now):
            raise WrongState(
                N_(
                    "Somebody else changed the menu, the greeting or the questions in the "
                    "meantime; this is now their version."
                )
            )
        if not is_same_sitting(db, by, [_VERB], fanpage_id, now):
            fanpage = db.get(Fanpage, fanpage_id)
            about = {"fanpage_id": fanpage_id, "subject_id": fanpage_id}
            record(db, by, _VERB, now=now, subject=fanpage.name if fanpage else "", **about)
    return seen + 1
