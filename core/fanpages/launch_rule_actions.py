"""What staff decide about every launch of a fanpage: quiet hours, days off, a second person."""

from __future__ import annotations

from datetime import datetime

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts.launch_rules import LaunchRules, check_launch_rules
from core.db.engine import transaction
from core.db.tables import Fanpage
from core.errors import N_, Invalid, NotFound


def set_launch_rules(by: Actor, fanpage_id: int, rules: LaunchRules, *, now: datetime) -> None:
    """Set the rules. They count at once, also for what is scheduled or being sent."""
    if problems := check_launch_rules(rules):
        raise Invalid(problems)
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        row = db.get(Fanpage, fanpage_id, with_for_update={"key_share": True})
        if row is None:
            raise NotFound(N_("This fanpage is no longer connected."))
        before, row.launch_rules, row.updated_at = row.launch_rules, rules.as_text(), now
        record(
            db,
            by,
            "fanpage.set_launch_rules",
            now=now,
            fanpage_id=fanpage_id,
            subject_id=fanpage_id,
            subject=row.name,
            before=before,
            after=row.launch_rules,
        )
