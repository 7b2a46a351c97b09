"""A backup is whole while others write, is checked before it has its name, and the newest are kept."""

from __future__ import annotations

import os
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.accounts.actions import ensure_admin
from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.backups import actions, copying, queries, rules, scheduled_jobs
from core.db import holding
from core.db.engine import reading, transaction
from core.db.holding import HoldCode
from core.db.tables import Backup
from core.errors import NotAllowed, OperatorError, WrongState
from core.settings import settings

VIETNAM = "Asia/Ho_Chi_Minh"
pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("fresh_database")]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def shop(arrange) -> int:
    fanpage = arrange.fanpage()
    return arrange.opt_in(arrange.topic(fanpage), arrange.customer(fanpage), fanpage_id=fanpage)


def test_a_backup_holds_what_is_only_in_the_write_ahead_log(shop, tmp_path: Path, fresh_database, now):
    assert Path(fresh_database.name + "-wal").stat().st_size > 0
    made = actions.make_backup(COMMAND_LINE, tmp_path / "copy of 100% Mai 🌸.db", now=now)
    assert (made.opt_ins, made.bytes) == (1, (tmp_path / "copy of 100% Mai 🌸.db").stat().st_size)
    assert [each.name for each in tmp_path.glob("*copy of*")] == ["copy of 100% Mai 🌸.db"]
    assert (tmp_path / "copy of 100% Mai 🌸.db").stat().st_mode & 0o777 == 0o600
    assert queries.find_last_backup().opt_ins == 1
    assert fresh_database.rows("SELECT verb FROM activity") == [("installation.backup",)]


def test_a_backup_may_have_a_name_that_is_no_text(shop, tmp_path: Path, now):
    file = tmp_path / os.fsdecode(b"copy \xff\xfe.db")
    actions.make_backup(COMMAND_LINE, file, now=now)
    assert file.exists()
    assert queries.find_last_backup().place == "copy ??.db"


def test_a_backup_says_itself_when_it_was_made(shop, tmp_path: Path, now):
    actions.make_backup(COMMAND_LINE, tmp_path / "copy.db", now=now)
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT made_at FROM backup").fetchall() == [("2026-11-22 09:00:00.000000",)]


def test_a_backup_is_one_moment_while_others_write(shop, tmp_path: Path, now, fresh_database):
    """Each transaction writes two rows; no copy has one of them."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with transaction() as db:
                db.add_all([Backup(made_at=now, place=name) for name in "ab"])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            copying.copy_database(tmp_path / f"{number}.db", made_at=now)
    finally:
        stop.set()
        writer.join()
    for number in range(10):
        with sqlite3.connect(tmp_path / f"{number}.db") as copy:
            counts = copy.execute("SELECT sum(place = 'a'), sum(place = 'b') FROM backup").fetchone()
        assert counts[0] == counts[1]


def test_no_file_is_written_over(shop, tmp_path: Path, now):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WrongState, match="already exists"):
        actions.make_backup(COMMAND_LINE, tmp_path / "mine.txt", now=now)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_folder_that_is_missing_is_named(shop, tmp_path: Path, now):
    with pytest.raises(OperatorError, match="No such file or directory"):
        actions.make_backup(COMMAND_LINE, tmp_path / "missing" / "copy.db", now=now)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_what_is_no_backup_is_refused_with_a_sentence(shop, tmp_path: Path, content):
    (tmp_path / "other.db").write_bytes(content)
    with pytest.raises(OperatorError, match="not an intact backup"):
        copying.read_content(tmp_path / "other.db")
    with pytest.raises(OperatorError, match="not an intact backup"):
        copying.read_content(tmp_path / "missing.db")


def test_a_damaged_page_is_found(shop, tmp_path: Path, now):
    actions.make_backup(COMMAND_LINE, tmp_path / "copy.db", now=now)
    with (tmp_path / "copy.db").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)
    with pytest.raises(OperatorError, match="not an intact backup"):
        copying.read_content(tmp_path / "copy.db")


def test_only_admins_make_one(shop, tmp_path: Path, now):
    with pytest.raises(NotAllowed):
        actions.make_backup(Actor(None, "an", Role.SENDER), tmp_path / "copy.db", now=now)


@pytest.mark.parametrize(
    ("last", "failed", "now", "due"),
    [
        (None, None, "2026-11-22 01:00", True),
        ("2026-11-21 20:01", None, "2026-11-22 19:00", False),  # made after three in the morning (20:00 UTC)
        ("2026-11-21 19:59", None, "2026-11-21 20:00", True),
        ("2026-11-20 12:00", None, "2026-11-22 01:00", True),  # the machine was off at night
        ("2026-11-20 12:00", "2026-11-22 00:30", "2026-11-22 01:00", False),
        ("2026-11-20 12:00", "2026-11-22 00:00", "2026-11-22 01:00", True),
    ],
)
def test_one_is_due_every_night(last, failed, now, due):
    times = [at(each) if each else None for each in (last, failed)]
    assert rules.is_due(*times, now=at(now), zone=VIETNAM) is due


def test_every_night_has_its_backup_and_the_newest_are_kept(shop, restart, now):
    restart(backups_kept="3")
    folder = settings().backup_folder
    for hours in range(0, 24 * 5, 6):
        scheduled_jobs.make_nightly_backup(now=now + timedelta(hours=hours))
    (folder / "mine.db").write_text("mine")
    assert len(list(folder.glob("otn-*.db"))) == 3
    assert (folder / "mine.db").exists()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(queries.problems(now=now + timedelta(hours=24 * 5))) == []


def test_the_write_ahead_log_is_empty_afterwards(shop, fresh_database, now):
    assert scheduled_jobs.make_nightly_backup(now=now)
    assert Path(fresh_database.name + "-wal").stat().st_size == 0


def test_a_failure_is_told_and_tried_again(shop, restart, tmp_path: Path, now, monkeypatch):
    def full(_part: Path, _made_at: datetime) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(copying, "fill", full)
        assert not scheduled_jobs.make_nightly_backup(now=now)
    ((said, values),) = queries.problems(now=now)
    assert "disk is full" in said.format(**values)
    assert [each.name for each in settings().backup_folder.iterdir()] == [".lock"]
    assert not scheduled_jobs.make_nightly_backup(now=now + timedelta(minutes=59))
    assert scheduled_jobs.make_nightly_backup(now=now + timedelta(hours=1))
    assert list(queries.problems(now=now + timedelta(hours=1))) == []


def test_a_folder_that_cannot_be_used_is_told_as_a_failure(shop, restart, tmp_path: Path, now):
    (tmp_path / "file").write_text("")
    restart(backup_dir=str(tmp_path / "file"))
    assert not scheduled_jobs.make_nightly_backup(now=now)
    assert not scheduled_jobs.make_nightly_backup(now=now + timedelta(minutes=1))  # it is noted once an hour
    ((said, values),) = queries.problems(now=now)
    assert str(tmp_path / "file") in said.format(**values)
    with reading() as db:
        assert db.scalar(select(func.count()).select_from(Backup)) == 1


def test_no_backup_two_days_after_the_first_start_is_a_problem(shop, now):
    ensure_admin(now)
    assert list(queries.problems(now=now + timedelta(days=2))) == []
    ((said, values),) = queries.problems(now=now + timedelta(days=2, hours=1))
    assert "no backup yet, 2 days" in said.format(**values)
    scheduled_jobs.make_nightly_backup(now=now + timedelta(days=2))
    assert list(queries.problems(now=now + timedelta(days=2, hours=1))) == []


def test_an_old_backup_is_a_warning(shop, now):
    scheduled_jobs.make_nightly_backup(now=now)
    ((said, values),) = queries.problems(now=now + timedelta(hours=40))
    assert "40 hours old" in said.format(**values)


def test_none_is_made_when_turned_off_or_moved_away(shop, restart, now):
    restart(backups_kept="0")
    assert not scheduled_jobs.make_nightly_backup(now=now)
    restart(backups_kept="7")
    with transaction() as db:
        holding.place_hold(db, HoldCode.MOVED, now=now, place="elsewhere")
    assert not scheduled_jobs.make_nightly_backup(now=now)
