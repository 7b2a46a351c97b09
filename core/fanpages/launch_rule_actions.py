"""What staff decide about every launch of a fanpage: quiet hours, days off, a second person."""

from __future__ import annotations

from datetime import datetime

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts.launch_rules import LaunchRules, check_launch_rules
from core.db.engine import transaction
from core.db.tables import Fanpage
from core.errors import Invalid
from core.fanpages.rows import lock_fanpage, record


def set_launch_rules(by: Actor, fanpage_id: int, rules: LaunchRules, *, now: datetime) -> None:
    """Set the rules. They count at once, also for what is scheduled or being sent."""
    if problems := check_launch_rules(rules):
        raise Invalid(problems)
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        row = lock_fanpage(db, fanpage_id)
        before, row.launch_rules, row.updated_at = row.launch_rules, rules.as_text(), now
        record(db, by, "fanpage.set_launch_rules", row, now, before=before, after=row.launch_rules)
