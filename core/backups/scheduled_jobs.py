"""The nightly backup of SQLite: made by the worker, checked, the newest kept. And the end of what a restore
has left behind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import structlog

from core.backups import copying, former_databases, picture_copies, queries, rules
from core.db import holding
from core.db.engine import empty_log, sqlite_file, transaction
from core.db.file_lock import file_lock
from core.db.tables import Backup
from core.errors import OperatorError
from core.settings import settings

log = structlog.get_logger(__name__)


def make_nightly_backup(*, now: datetime) -> bool:
    """Make the nightly backup if it is due, and write the write-ahead log back once a day. Returns whether
    one was made. A failure is recorded, shown on the health page, and tried again after an hour."""
    chosen = settings()
    if chosen.is_postgresql or not chosen.backups_kept:
        return False
    try:
        with file_lock(chosen.backup_folder / ".lock") as is_alone:
            return is_alone and _is_due(now) and _make(chosen.backup_folder, now)
    except OSError as problem:  # the folder cannot be used
        if _is_due(now):
            _note_failure(Backup(made_at=now, place=rules.file_name(now)), str(problem))
        return False


def delete_former_databases(*, now: datetime) -> int:
    """Delete the databases and backups that have been of no use for long enough, and what an interrupted
    restore has left. Returns how many files. Nothing goes while the installation is held: somebody still
    decides which of them counts."""
    if holding.current_hold():
        return 0
    if settings().is_postgresql:
        return _delete(_old_former(now))
    there = sqlite_file()
    with file_lock(there.with_name(f".{there.name}.lock")) as is_alone:  # no restore is at work on them
        return _delete([*_old_former(now), *_left_by_restore(there)]) if is_alone else 0


def _delete(files: Iterable[Path]) -> int:
    due = list(files)
    for file in due:
        for end in ("", "-wal", "-shm"):
            file.with_name(file.name + end).unlink(missing_ok=True)
        log.info("former_database_deleted", file=file.name)
    for folder in {file.parent for file in due if rules.made_at(file.name)}:
        picture_copies.delete_unneeded(folder)
    return len(due)


def _old_former(now: datetime) -> Iterator[Path]:
    """Those that are due. The time of the file itself says since when staff are told of its end: a worker
    that was away, or a new version, must not delete what nobody was told of."""
    for former in former_databases.find_former_databases():
        deleted_at = former.deleted_at(now)
        if deleted_at is None:
            continue
        if deleted_at <= now:
            yield former.file
        elif deleted_at == now + rules.FORMER_ANNOUNCED:  # from now on
            os.utime(former.file, (now.timestamp(), now.timestamp()))


def _left_by_restore(there: Path) -> list[Path]:
    """Copies that a restore made for itself before it was killed."""
    return [file for end in ("restoring", "former") for file in there.parent.glob(f".{there.name}.{end}")]


def _is_due(now: datetime) -> bool:
    held = holding.current_hold()
    if held and held.takes_in_nothing:
        return False
    last, failed = queries.find_last_backup(), queries.find_failure()
    made_at, failed_at = last.made_at if last else None, failed.made_at if failed else None
    return rules.is_due(made_at, failed_at, now=now, zone=settings().timezone)


def _make(folder: Path, now: datetime) -> bool:
    made = Backup(made_at=now, place=rules.file_name(now), bytes=0, opt_ins=0)
    try:
        content = copying.copy_database(folder / made.place, made_at=now)
    except OperatorError as refused:
        _note_failure(made, refused.message)
        return False
    made.bytes, made.opt_ins = content.bytes, content.opt_ins
    try:
        picture_copies.copy_new(folder / made.place)
    except OSError as problem:
        made.problem = f"{picture_copies.FOLDER}: {problem.strerror}"[:300]
        log.error("pictures_not_copied", said=made.problem)
    _delete_incomplete(folder, now)
    _note(made)
    for name in rules.superseded([each.name for each in folder.iterdir()], kept=settings().backups_kept):
        (folder / name).unlink(missing_ok=True)
    picture_copies.delete_unneeded(folder)
    empty_log()
    log.info("backup_made", file=made.place, bytes=made.bytes, opt_ins=made.opt_ins)
    return made.problem is None


def _note_failure(made: Backup, said: str) -> None:
    made.problem = said[:300]
    log.error("backup_failed", said=said)
    _note(made)


def _note(made: Backup) -> None:
    with transaction() as db:
        db.add(made)


def _delete_incomplete(folder: Path, now: datetime) -> None:
    """Delete the copy of the same night whose pictures are missing, since this one takes its place: or the
    attempts of a few hours would push out the backups of earlier nights."""
    failed = queries.find_failure()
    if failed and not rules.is_due(failed.made_at, None, now=now, zone=settings().timezone):
        for name in rules.superseded([failed.place], kept=0):
            (folder / name).unlink(missing_ok=True)
