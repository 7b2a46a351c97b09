"""Holds a database that comes from a backup, and ends in it what waited then and may have been done since.

`restore` does so before the copy is in its place, and `hold` for one that PostgreSQL's own tools have put
back. A backup of ours whose file was simply copied over the database is known by the mark that it carries: a
row about itself without a file's name (copying.py), which it gets when the hold is released.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import delete, or_, select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import EVERYTHING, authorise
from core.accounts.rules import SYSTEM, Actor, Permission
from core.backups import carried_events
from core.consent import import_runs
from core.db import holding
from core.db.engine import transaction
from core.db.holding import HoldCode, read_hold
from core.db.tables import Activity, Backup, OperatorSession
from core.errors import WrongState
from core.sending.replies import claims as reply_claims
from core.settings import settings

log = structlog.get_logger(__name__)


def hold_as_restored(db: Session, *, now: datetime) -> None:
    """Hold the database of the session, end its replies and imports that wait, and let what customers did be
    applied without an answer. Everybody signs in anew, since some sessions were ended after the backup."""
    holding.lift_hold(db)
    holding.place_hold(db, HoldCode.RESTORED, now=now)
    db.execute(delete(OperatorSession))
    carried_events.answer_no_waiting(db, now=now)
    reply_claims.end_restored(db, now=now)
    import_runs.end_restored(db, now=now)


def hold_restored(by: Actor, *, now: datetime) -> None:
    """Hold a database that was restored by other tools, so that it sends nothing until it is released."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        if (found := read_hold(db)) and found.code != HoldCode.STOPPED:
            raise WrongState(found.template, place=found.place)
        hold_as_restored(db, now=now)
        record(db, by, "installation.hold", now=now)


def hold_unreleased_copy(*, now: datetime) -> bool:
    """Hold the database if it is a backup of ours that nobody has released yet. Every process that sends asks
    this before it begins. Returns whether it is held now for that reason."""
    if settings().is_postgresql:
        return False
    with transaction() as db:
        found = read_hold(db)
        if (found and found.code != HoldCode.STOPPED) or not _is_unreleased_copy(db):
            return False
        hold_as_restored(db, now=now)
        record(db, SYSTEM, "installation.hold", now=now)
    log.warning("unreleased_copy_held")
    return True


def _is_unreleased_copy(db: Session) -> bool:
    """Whether the latest of the marks and of the nightly backups is a mark. One that was released by an older
    version, which left it as it was, is known by the activity log."""
    is_mark, is_nightly = col(Backup.place) == "", col(Backup.place).like("otn-%.db")
    latest = select(Backup).where(or_(is_mark, is_nightly)).order_by(col(Backup.id).desc()).limit(1)
    row = db.execute(latest).scalar_one_or_none()
    if row is None or row.place:
        return False
    released = select(col(Activity.id)).where(
        col(Activity.verb) == "installation.release", col(Activity.at) >= row.made_at
    )
    return db.execute(released.limit(1)).first() is None
