"""Uploaded pictures are copied beside the backups, once for all of them, and put back by a restore."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.backups import picture_copies, queries, rules, scheduled_jobs
from core.backups.actions import make_backup
from core.backups.restoring import restore
from core.db.engine import forget_engines
from core.db.tables import Picture
from core.errors import OperatorError
from core.pictures.files import folder
from core.settings import settings

pytestmark = pytest.mark.sqlite
FIRST, SECOND = f"{'a' * 40}.jpg", f"{'b' * 40}.png"


@pytest.fixture
def upload(arrange, fresh_database):
    fanpage_id = arrange.fanpage()

    def _upload(name: str) -> None:
        folder().mkdir(exist_ok=True)
        (folder() / name).write_bytes(name.encode())
        arrange.save(Picture(fanpage_id=fanpage_id, name=name, created_at=arrange.now))

    return _upload


def copies(at) -> set[str]:
    return {path.name for path in at.glob("*")}


def test_a_restore_puts_back_what_is_missing(upload, tmp_path, now):
    upload(FIRST)
    (folder() / "notes.txt").write_text("not a picture")
    file = tmp_path / "usb" / "otn.db"
    file.parent.mkdir()
    make_backup(COMMAND_LINE, file, now=now)
    assert copies(picture_copies.beside(file)) == {FIRST}
    (folder() / FIRST).unlink()
    upload(SECOND)
    forget_engines()
    done = restore(file, now=now, say=print)
    assert done.pictures == 1
    assert (folder() / FIRST).read_bytes() == FIRST.encode()
    assert (folder() / SECOND).exists()
    assert (folder() / FIRST).stat().st_mode & 0o077 == 0


def test_the_nightly_ones_share_a_copy_and_drop_it_with_the_last_that_names_it(
    upload, fresh_database, now, restart
):
    restart(backups_kept="2")
    beside = settings().backup_folder / picture_copies.FOLDER
    upload(FIRST)
    for night in range(4):
        assert scheduled_jobs.make_nightly_backup(now=now + timedelta(days=night))
        if night == 0:
            (folder() / FIRST).unlink()
            fresh_database.run("DELETE FROM picture")
            upload(SECOND)
        assert copies(beside) == [{FIRST}, {FIRST, SECOND}, {SECOND}, {SECOND}][night]


def test_a_backup_whose_pictures_cannot_be_copied_is_none(upload, tmp_path, now):
    upload(FIRST)
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / picture_copies.FOLDER).write_text("in the way")
    with pytest.raises(OperatorError, match="images could not be copied"):
        make_backup(COMMAND_LINE, tmp_path / "usb" / "otn.db", now=now)
    assert copies(tmp_path / "usb") == {picture_copies.FOLDER}


def test_no_copy_goes_while_a_backup_cannot_be_read(tmp_path):
    (tmp_path / picture_copies.FOLDER).mkdir()
    (tmp_path / picture_copies.FOLDER / FIRST).write_bytes(b"x")
    (tmp_path / "otn-20260101-000000.db").write_text("no database at all, whatever its name says")
    assert picture_copies.delete_unneeded(tmp_path) == 0


def test_missing_pictures_neither_fill_the_disk_nor_push_out_earlier_nights(upload, now, restart):
    restart(backups_kept="3")
    at = settings().backup_folder
    assert scheduled_jobs.make_nightly_backup(now=now)
    upload(FIRST)
    (at / picture_copies.FOLDER).write_text("in the way")
    nights = [now + timedelta(days=day, hours=hours) for day in range(1, 6) for hours in range(4)]
    assert not any(scheduled_jobs.make_nightly_backup(now=each) for each in nights)
    latest = [now + timedelta(days=day, hours=3) for day in (3, 4, 5)]
    assert sorted(each.name for each in at.glob("otn-*.db")) == [rules.file_name(each) for each in latest]
    problem, _old = queries.problems(now=nights[-1])
    assert picture_copies.FOLDER in str(problem)


@pytest.mark.parametrize("name", ["before-the-move", "mine.sqlite", "MINE.DB"])
def test_no_copy_goes_while_another_file_may_be_a_backup(tmp_path, name):
    (tmp_path / picture_copies.FOLDER).mkdir()
    (tmp_path / picture_copies.FOLDER / FIRST).write_bytes(b"x")
    (tmp_path / ".lock").touch()
    (tmp_path / name).write_text("a backup")
    assert picture_copies.delete_unneeded(tmp_path) == 0
    (tmp_path / name).unlink()
    assert picture_copies.delete_unneeded(tmp_path) == 1
