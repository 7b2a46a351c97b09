"""Reads which backups there are, and what a restored installation may have sent since its backup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.backups import rules
from core.broadcasts.rules import BroadcastState
from core.db.engine import reading, sqlite_file
from core.db.tables import Backup, Broadcast, Delivery
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
    """What is wrong with the backups. PostgreSQL makes its own, of which nothing is known here."""
    if settings().is_postgresql:
        return
    for file in find_former_databases():
        yield from _about_former(file, now)
    if not settings().backups_kept:
        return
    if failed := find_failure():
        yield N_("The last backup failed: {why}"), {"why": failed.problem}
    last = find_last_backup()
    if last and now - last.made_at > rules.OLD_AFTER:
        hours = round((now - last.made_at).total_seconds() / 3600)
        yield (
            N_("The last backup is {hours} hours old; the worker makes one every night while it runs."),
            {"hours": hours},
        )


def _about_former(file: Path, now: datetime) -> Iterator[BackupProblem]:
    changed_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    deleted_at = rules.former_deleted_at(file.name, changed_at, now)
    if deleted_at is None:
        if now - changed_at < rules.FORMER_KEPT_FOR:
            return
        yield (
            N_(
                "{file} is the database from before a restore, and is kept because of its name. It still "
                "names people who were forgotten since; delete it when you are sure that nothing in it is "
                "needed."
            ),
            {"file": file.name},
        )
    elif deleted_at - now <= rules.FORMER_ANNOUNCED:
        yield (
            N_(
                "{file} is the database from before a restore. Because it still names people who were "
                "forgotten since, it is deleted on {date}. What you need of it, take out before."
            ),
            {"file": file.name, "date": f"{deleted_at:%Y-%m-%d}"},
        )


def find_former_databases() -> list[Path]:
    """The files that a restore has left beside the database. They name people who were forgotten since."""
    if settings().is_postgresql:
        return []
    there = sqlite_file()
    return sorted(there.parent.glob(f"{there.stem}.before-restore-*{there.suffix}"))


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
