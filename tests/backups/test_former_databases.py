"""What nobody replaces any more names forgotten people: it goes thirty days later, after staff were told."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.backups import queries, rules
from core.backups.former_databases import find_former_databases
from core.backups.scheduled_jobs import delete_former_databases, make_nightly_backup
from core.settings import settings


def names() -> list[str]:
    return sorted(each.file.name for each in find_former_databases())


def told(now: datetime) -> list[str]:
    return [said.format(**values) for said, values in queries.problems(now=now) if "file" in values]


def left_by_move(code: str, at: datetime) -> Path:
    file = settings().data_dir / "otn.db"
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("CREATE TABLE hold (id INTEGER, code TEXT, at TEXT)")
        opened.execute("INSERT INTO hold VALUES (1, ?, ?)", (code, f"{at:%Y-%m-%d %H:%M:%S.%f}"))
        opened.commit()
    os.utime(file, (0, 0))
    return file


def nightly(folder: Path, at: datetime) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / rules.file_name(at)
    file.write_bytes(b"")
    os.utime(file, (0, 0))
    return file


@pytest.mark.postgresql
def test_what_a_move_to_postgresql_leaves_goes_after_thirty_days(fresh_database, now):
    moved = left_by_move("moved", now)
    restored = moved.with_name(f"otn.before-restore-{now:%Y%m%d-%H%M%S}.db")
    restored.write_bytes(b"")
    os.utime(restored, (0, 0))
    backup = nightly(settings().backup_folder, now)
    files = [backup, moved, restored]

    assert names() == sorted(file.name for file in files)
    assert delete_former_databases(now=now + timedelta(days=22)) == 0
    assert told(now + timedelta(days=22)) == []
    assert delete_former_databases(now=now + timedelta(days=23)) == 0
    said = told(now + timedelta(days=24))
    assert len(said) == 3
    assert all(f"{now + timedelta(days=30):%Y-%m-%d}" in each for each in said)
    assert delete_former_databases(now=now + timedelta(days=30)) == 3
    assert not any(file.exists() for file in files)


@pytest.mark.postgresql
def test_a_database_that_was_not_moved_from_stays(fresh_database, now):
    file = left_by_move("stopped", now)
    assert (names(), file.exists()) == ([], True)


@pytest.mark.sqlite
def test_backups_go_when_none_are_made_any_more(fresh_database, restart, now):
    nightly(settings().backup_folder, now - timedelta(days=3))
    nightly(settings().backup_folder, now)
    assert names() == []
    restart(backups_kept="0")
    assert len(names()) == 2
    assert delete_former_databases(now=now + timedelta(days=25)) == 0
    assert len(told(now + timedelta(days=25))) == 1  # they go together
    assert delete_former_databases(now=now + timedelta(days=32)) == 2


@pytest.mark.sqlite
def test_backups_in_the_former_folder_go_once_there_are_newer_ones(fresh_database, restart, tmp_path, now):
    former = nightly(settings().backup_folder, now)
    restart(backup_dir=str(tmp_path / "elsewhere"))
    assert names() == []  # as long as it is the latest
    assert make_nightly_backup(now=now + timedelta(days=1))
    assert names() == [former.name]
    shutil.rmtree(tmp_path / "elsewhere")
    assert names() == []
