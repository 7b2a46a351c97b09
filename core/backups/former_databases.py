"""Finds files that nobody replaces any more and that still name people who were forgotten since: databases
from before a restore or a move, and nightly backups that are made no longer, or in another folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.backups import rules
from core.backups.copying import open_file
from core.db.engine import sqlite_file
from core.db.holding import HoldCode
from core.errors import N_
from core.settings import settings

MOVED_FROM = "otn.db"  # in the data folder, where it is unless somebody has chosen another place


@dataclass(frozen=True)
class FormerDatabase:
    """A file that is deleted some time. `since`: when it was last of use; None: its name says that somebody
    keeps it. A backup is one of several that go together."""

    file: Path
    since: datetime | None
    is_backup: bool = False

    def deleted_at(self, now: datetime) -> datetime | None:
        """When it goes, as things are now."""
        if self.since is None:
            return None
        return rules.former_deleted_at(self.since, self.changed_at, now)

    @property
    def changed_at(self) -> datetime:
        """Also since when staff are told of its end, if that is in the last of its days."""
        return datetime.fromtimestamp(self.file.stat().st_mtime, UTC)


def find_former_databases() -> list[FormerDatabase]:
    """All of them that this machine has."""
    there = settings().data_dir / MOVED_FROM if settings().is_postgresql else sqlite_file()
    restored = sorted(there.parent.glob(f"{there.stem}.before-restore-*{there.suffix}"))
    moved = list(_moved_from(there)) if settings().is_postgresql else []
    return [*(FormerDatabase(file, rules.restored_at(file.name)) for file in restored), *moved, *_backups()]


def _moved_from(file: Path) -> Iterator[FormerDatabase]:
    """A database that lies there for another reason is nobody's business here."""
    if not file.exists():
        return
    try:
        with closing(open_file(file, writes=True)) as opened:
            found = opened.execute("SELECT at FROM hold WHERE code = ?", (HoldCode.MOVED.value,)).fetchone()
    except sqlite3.Error:
        return
    if found:
        yield FormerDatabase(file, datetime.fromisoformat(found[0]).replace(tzinfo=UTC))


def _backups() -> Iterator[FormerDatabase]:
    """Nightly backups are replaced by newer ones only while these are made, and only in their folder."""
    usual, chosen = settings().data_dir / "backups", settings().backup_folder
    is_made = settings().backups_kept and not settings().is_postgresql
    newest = max(_dated(chosen).values(), default=None)
    for folder in {usual, chosen}:
        dated = _dated(folder)
        latest = max(dated.values(), default=None)
        if latest and not (is_made and (folder == chosen or newest is None or newest < latest)):
            yield from (FormerDatabase(file, latest, is_backup=True) for file in sorted(dated))


def _dated(folder: Path) -> dict[Path, datetime]:
    """The nightly backups in a folder, and when each was made."""
    return {file: at for file in folder.glob("otn-*.db") if (at := rules.made_at(file.name))}


def problems(*, now: datetime) -> Iterator[tuple[str, dict[str, object]]]:
    """What staff are told of them."""
    told: set[Path] = set()
    for former in find_former_databases():
        deleted_at = former.deleted_at(now)
        if deleted_at is None:
            if now - former.changed_at >= rules.FORMER_KEPT_FOR:
                yield (
                    N_(
                        "{file} is the database from before a restore, and is kept because of its name. It "
                        "still names people who were forgotten since; delete it when you are sure that "
                        "nothing in it is needed."
                    ),
                    {"file": former.file.name},
                )
        elif deleted_at - now <= rules.FORMER_ANNOUNCED and former.file.parent not in told:
            if former.is_backup:
                told.add(former.file.parent)
            yield _announced(former, deleted_at)


def _announced(former: FormerDatabase, deleted_at: datetime) -> tuple[str, dict[str, object]]:
    date = f"{deleted_at:%Y-%m-%d}"
    if former.is_backup:
        return (
            N_(
                "The nightly backups in {file} are no longer replaced by newer ones. Because they still name "
                "people who were forgotten since, they are deleted on {date}. Move elsewhere what you need."
            ),
            {"file": str(former.file.parent), "date": date},
        )
    return (
        N_(
            "{file} is the database from before a restore or a move. Because it still names people who were "
            "forgotten since, it is deleted on {date}. What you need of it, take out before."
        ),
        {"file": former.file.name, "date": date},
    )
