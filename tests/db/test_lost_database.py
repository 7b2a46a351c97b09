"""A database that was lost, copied in part or written by a newer version is refused with a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest
from starlette.testclient import TestClient

from core.db import migrations
from core.db.engine import forget_engines, reading
from core.db.lost_database import beginning_anew
from core.errors import OperatorError, WrongState
from core.operations import doctor
from core.settings import secret_file
from tests.processes import process
from webhook_server.application import create_app

pytestmark = pytest.mark.sqlite


@pytest.fixture
def file(fresh_database) -> Path:
    forget_engines()
    return Path(fresh_database.name)


def test_an_empty_database_beside_a_used_key_is_refused(file: Path):
    file.unlink()
    (file.parent / "secret.key").write_text("k" * 43)
    with pytest.raises(OperatorError, match="copied without its write-ahead log"):
        migrations.upgrade()
    (file.parent / "secret.key").rename(file.parent / "away")
    migrations.upgrade()


@pytest.mark.parametrize("left", ["backups/otn-20261201-030000.db", f"pictures/{'a' * 40}.jpg"])
def test_an_empty_database_beside_anything_an_installation_leaves_is_refused(file: Path, left: str):
    file.unlink()
    trace = file.parent / left
    trace.parent.mkdir(exist_ok=True)
    trace.write_bytes(b"x")
    with pytest.raises(OperatorError, match=trace.name):
        migrations.upgrade()
    assert not file.exists()
    trace.unlink()
    migrations.upgrade()


def test_a_copy_of_the_file_alone_of_a_running_shop_is_refused(file: Path, tmp_path: Path):
    """A small shop is wholly in the log; with the key in OTN_SECRET_KEY nothing else is left of it."""
    file.unlink()
    migrations.upgrade()
    copy = tmp_path / "copy.db"
    shutil.copyfile(file, copy)
    assert copy.stat().st_size == 4096
    forget_engines()
    shutil.copyfile(copy, file)
    file.with_name("otn.db-wal").unlink(missing_ok=True)
    file.with_name("otn.db-shm").unlink(missing_ok=True)
    for _ in range(2):
        with pytest.raises(OperatorError, match="holds no table"):
            migrations.upgrade()


def test_a_first_start_that_was_cut_short_begins_again(file: Path, monkeypatch: pytest.MonkeyPatch):
    """Killed while the tables were made: the file is there, and holds none."""
    file.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(migrations.command, "upgrade", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            migrations.upgrade()
    forget_engines()
    assert file.stat().st_size > 0
    migrations.upgrade()
    assert migrations.current_revision() is not None
    assert not list(file.parent.glob(".*.begun"))


def test_who_waited_for_another_first_start_finds_its_tables(file: Path):
    """Between the look and the lock the other has made the database, and what only comes after it."""
    file.unlink()
    migrations.upgrade()
    secret_file().write_bytes(b"x")
    with beginning_anew():
        assert migrations.current_revision() is not None


def test_looking_before_the_first_start_is_no_reason_to_refuse_it(file: Path):
    file.unlink()
    assert migrations.current_revision() is None
    assert not file.exists()
    with reading() as db:  # as a command that somebody tries too early
        db.connection()
    assert file.exists()
    migrations.upgrade()


def test_a_log_without_its_database_is_not_thrown_away(file: Path):
    file.unlink()
    log = file.with_name("otn.db-wal")
    for content in (None, b""):
        if content is not None:
            file.write_bytes(content)
        log.write_bytes(b"what customers said")
        with pytest.raises(OperatorError, match="holds data that belongs to it"):
            migrations.upgrade()
        assert log.read_bytes() == b"what customers said"


def test_a_newer_database_is_one_sentence_everywhere(fresh_database, tmp_path: Path):
    with TestClient(create_app()) as client:
        assert client.get("/readyz").status_code == 200
        fresh_database.run("UPDATE alembic_version SET version_num = '9999'")
        assert client.get("/readyz").json() == {"ready": False, "problem": "revision"}
    with pytest.raises(WrongState, match="newer one has been used"):
        migrations.upgrade()
    assert [said for said in doctor.find_problems() if "core migrate" in said] == []
    for arguments in (["core", "worker"], ["core", "run"], ["core", "migrate"], ["webhook_server"]):
        log = tmp_path / "said.log"
        with process("-m", *arguments, log=log) as started:
            assert started.wait(60) == 1
        assert "newer one has been used" in log.read_text()
        assert "Traceback" not in log.read_text()
        log.unlink()
