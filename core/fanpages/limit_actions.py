"""What staff decide about how often the customers of a fanpage are asked and written to."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.consent.contact_limits import ContactLimits, check_limits, limits_of
from core.db.engine import transaction
from core.db.tables import Fanpage
from core.errors import Invalid
from core.fanpages.rows import lock_fanpage


def set_limits(by: Actor, fanpage_id: int, limits: ContactLimits, *, now: datetime) -> None:
    """Set the limits of a fanpage. They count from the next request and the next broadcast on."""
    if problems := check_limits(limits):
        raise Invalid(problems)
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        row = lock_fanpage(db, fanpage_id)
        was, wanted = asdict(limits_of(row)), asdict(limits)
        changed = {name: value for name, value in wanted.items() if value != was[name]}
        for name, value in changed.items():
            setattr(row, name, value)
        if changed:
            row.updated_at = now
            record(
                db,
                by,
                "fanpage.set_limits",
                now=now,
                fanpage_id=fanpage_id,
                subject_id=fanpage_id,
                subject=row.name,
                before={name: was[name] for name in changed},
                after=changed,
            )
