"""Reads which backups there are, and what a restored installation may have sent since its backup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.backups import former_databases, rules
from core.broadcasts.rules import BroadcastState
from core.db.engine import reading
from core.db.tables import Backup, Broadcast, Delivery, Operator
from core.deliveries.rules import DeliveryState
from core.errors import N_
from core.settings import settings

# A problem of the backups: a template, and what it is filled with.
BackupProblem = tuple[str, dict[str, object]]


@dataclass(frozen=True)
class BackupView:
    """A backup that was made, or that could not be made (`problem`)."""

    made_at: datetime
    place: str
    bytes: int
    opt_ins: int
    problem: str | None


@dataclass(frozen=True)
class UnsureBroadcast:
    """A broadcast that goes on after `release`; what of it was sent since the backup, nobody here knows."""

    id: int
    name: str
    state: BroadcastState
    queued: int
    due_at: datetime | None


def find_last_backup() -> BackupView | None:
    """The latest backup that succeeded, or None."""
    return _latest(col(Backup.problem).is_(None))


def find_failure() -> BackupView | None:
    """The latest attempt, if it failed."""
    last = _latest()
    return last if last and last.problem else None


def _latest(*which: object) -> BackupView | None:
    with reading() as db:
        latest = select(Backup).where(*which).order_by(col(Backup.made_at).desc(), col(Backup.id).desc())  # type: ignore[arg-type]
        row = db.execute(latest.limit(1)).scalar_one_or_none()
        return BackupView(row.made_at, row.place, row.bytes, row.opt_ins, row.problem) if row else None


def problems(*, now: datetime) -> Iterator[BackupProblem]:
    """What is wrong with the backups, and what is left of former ones. PostgreSQL makes its own, of which
    nothing is known here."""
    yield from former_databases.problems(now=now)
    if settings().is_postgresql or not settings().backups_kept:
        return
    if failed := find_failure():
        yield N_("The last backup failed: {why}"), {"why": failed.problem}
    last = find_last_backup()
    if not last and not failed and (days := _days_without(now)):
        yield (
            N_(
                "There is no backup yet, {days} days after the first start. The worker makes one every night "
                "while it runs; to make one now: python -m core backup FILE"
            ),
            {"days": days},
        )
    if last and now - last.made_at > rules.OLD_AFTER:
        hours = round((now - last.made_at).total_seconds() / 3600)
        yield (
            N_("The last backup is {hours} hours old; the worker makes one every night while it runs."),
            {"hours": hours},
        )


def _days_without(now: datetime) -> int:
    """How many days ago the first user was made, at the first start; 0 while the first night may be ahead."""
    with reading() as db:
        began_at = db.execute(select(func.min(Operator.created_at))).scalar_one()
    return (now - began_at).days if began_at and now - began_at > rules.FIRST_WITHIN else 0


def find_unsure_broadcasts() -> list[UnsureBroadcast]:
    """The broadcasts of a restored installation that go on after `release`."""
    with reading() as db:
        return list(_unsure(db))


def _unsure(db: Session) -> Iterator[UnsureBroadcast]:
    queued = (
        select(func.count())
        .where(col(Delivery.broadcast_id) == col(Broadcast.id), col(Delivery.state) == DeliveryState.QUEUED)
        .scalar_subquery()
    )
    going_on = [BroadcastState.SCHEDULED, BroadcastState.SENDING, BroadcastState.PAUSED]
    found = (
        select(col(Broadcast.id), col(Broadcast.name), col(Broadcast.state), queued, col(Broadcast.due_at))
        .where(col(Broadcast.state).in_(going_on))
        .order_by(col(Broadcast.id))
    )
    for id_, name, state, count, due_at in db.execute(found):
        yield UnsureBroadcast(id_ or 0, name, BroadcastState(state), count or 0, due_at)
