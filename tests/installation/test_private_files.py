"""Files of the data folder are their owner's alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.installation.private_files import close_folder
from core.settings_sources import HOME


def mode(path) -> int:
    return path.stat().st_mode & 0o777


def test_what_lies_there_already_is_closed(tmp_path):
    inside = tmp_path / "logs"
    inside.mkdir(mode=0o755)
    (inside / "worker.log").touch(0o644)
    (tmp_path / "read-only").touch(0o400)

    close_folder(tmp_path)

    assert (mode(tmp_path), mode(inside), mode(inside / "worker.log")) == (0o700, 0o700, 0o600)
    assert mode(tmp_path / "read-only") == 0o400


def test_a_folder_that_is_not_there_is_no_error(tmp_path):
    close_folder(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


MIGRATE = "sys.argv = ['core', 'migrate']; runpy.run_module('core', run_name='__main__')"
SERVE = "import webhook_server.main; from core.db import migrations; migrations.upgrade()"


@pytest.mark.sqlite
@pytest.mark.parametrize("start", [MIGRATE, SERVE], ids=["command", "webhook server"])
def test_a_new_database_is_nobody_elses(tmp_path, monkeypatch, start):
    folder = tmp_path / "shop"
    monkeypatch.delenv("OTN_DATABASE_URL", raising=False)
    monkeypatch.setenv("OTN_DATA_DIR", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(HOME))
    code = f"import os, runpy, sys; os.umask(0o022); {start}"

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert (mode(folder), mode(folder / "otn.db")) == (0o700, 0o600)
