"""A disk that is filling up is named before it is full, and a full one is said in one sentence."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from core.alerts.conditions import find_conditions
from core.db.engine import engine
from core.db.full_disk import is_full
from core.installation import disk_room
from core.installation.heartbeat import this_machine
from core.operations.doctor import find_problems
from core.settings import settings


@pytest.fixture
def room(arrange, monkeypatch):
    """Lets a disk have so many MB."""

    def have(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free * 1_000_000))

    return have


def test_a_disk_with_little_room_is_named_once_wherever_somebody_looks(room, arrange):
    settings().backup_folder.mkdir(parents=True)  # on the same disk
    room(499)
    [(_sentence, values)] = disk_room.problems()
    assert values == {"folder": settings().data_dir, "machine": this_machine(), "free": 499}
    assert [each for each in find_problems() if "has only 499 MB left" in each]
    assert [each.key for each in find_conditions(now=arrange.now)] == [
        f"disk:{this_machine()}:{settings().data_dir}"
    ]


def test_a_disk_with_room_is_not_named(room):
    room(500)
    assert not list(disk_room.problems())


def test_a_folder_that_is_not_there_is_no_disk(room, monkeypatch):
    def missing(_folder: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(shutil, "disk_usage", missing)
    assert not list(disk_room.problems())


@pytest.mark.sqlite
def test_a_full_database_is_known_by_its_error(arrange):
    with engine().connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1")
        with pytest.raises(OperationalError) as full:
            connection.exec_driver_sql("CREATE TABLE large AS SELECT zeroblob(9000000)")
    assert is_full(full.value)


def test_what_else_is_full_and_what_is_not():
    assert is_full(OSError(errno.ENOSPC, "No space left on device"))
    assert is_full(OperationalError("INSERT", {}, SimpleNamespace(sqlstate="53100")))
    refused = "connection failed: FATAL:  could not write init file: No space left on device"
    assert is_full(OperationalError("", {}, sqlite3.OperationalError(refused)))
    assert not is_full(OSError(errno.EACCES, "Permission denied"))
    assert not is_full(OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked")))
