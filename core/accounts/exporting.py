"""Exports: a right of its own, and each is written down."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.accounts import activity_log
from core.accounts.authorising import authorise, of_fanpages
from core.accounts.rules import Actor, Permission, Role, may_export
from core.db.engine import transaction
from core.db.tables import Operator
from core.errors import N_, NotAllowed


def record_export(by: Actor, what: str, fanpage_ids: Collection[int] | None, *, now: datetime) -> None:
    """Write down that an operator takes data of these fanpages (None: of all) out of the panel, before the
    file is made. Raises NotAllowed for who has no right to."""
    with transaction() as db:
        authorise(db, by, Permission.VIEW, *of_fanpages(fanpage_ids), now=now)
        columns = select(col(Operator.role), col(Operator.may_export)).where(col(Operator.id) == by.id)
        row = db.execute(columns).first()
        if row is not None and not may_export(Role(row.role), granted=row.may_export):
            raise NotAllowed(N_("You can view this, but not export it; ask an admin."))
        one = activity_log.fanpage_of_line(fanpage_ids)
        activity_log.record(db, by, "export.make", now=now, subject=what, fanpage_id=one)
