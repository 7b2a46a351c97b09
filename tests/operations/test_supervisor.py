"""One run at a time uses a data folder, and however it ends, it leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import WrongState
from core.operations import single_instance, supervisor
from core.settings import settings
from core.settings_sources import HOME
from tests.processes import until

pytestmark = pytest.mark.sqlite

RUN = """
import sys
from core.operations import supervisor
sleeps = ["-c", "import time; time.sleep(300)"]
supervisor.processes_to_start = lambda demo: [supervisor.Child("worker", None, sleeps)]
from core.__main__ import main
sys.argv = ["core", "run"]
main()
"""


def test_the_panel_is_started_from_a_file_that_exists():
    assert (HOME / "app.py").is_file()


def heed_signals() -> None:
    """Else the process ignores what the tests' own shell ignores, as under `nohup` or with `&`."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def run(fresh_database, arrange, tmp_path: Path):
    """Starts a run whose one process sleeps; what is left at the end is ended by its number."""
    arrange.fanpage()  # not the demo's
    begun: list[subprocess.Popen] = []

    def start(**more: object) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(HOME)}
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        given |= {"preexec_fn": heed_signals, **more}
        begun.append(subprocess.Popen([sys.executable, "-c", RUN], cwd=tmp_path, env=environment, **given))
        return begun[-1]

    yield start
    for each in begun:
        each.kill()
        each.wait()
        if each.stdout:
            each.stdout.close()


def children(folder: Path) -> list[int]:
    note = folder / "run.json"
    try:
        return [int(pid) for pid in json.loads(note.read_text())["children"]]
    except (OSError, ValueError):
        return []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has ended")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_behind(run, tmp_path: Path, number):
    started = run()
    until(lambda: children(tmp_path), what="its process")
    (child,) = children(tmp_path)
    started.send_signal(number)
    started.wait(30)
    until(lambda: not is_alive(child), what="the end of its process")
    if number != signal.SIGKILL:
        assert not (tmp_path / "run.json").exists()
        log = tmp_path / "otn.db-wal"
        assert not log.exists() or log.stat().st_size == 0


def test_a_dead_pipe_ends_nothing_and_leaves_nothing(run, tmp_path: Path):
    started = run()
    assert started.stdout.readline()
    started.stdout.close()
    until(lambda: children(tmp_path), what="its process")
    (child,) = children(tmp_path)
    os.kill(child, signal.SIGKILL)  # which it says, to nobody
    until(lambda: children(tmp_path) not in ([], [child]), what="another process")
    (second,) = children(tmp_path)
    started.send_signal(signal.SIGHUP)
    assert started.wait(30) == 0
    until(lambda: not is_alive(second), what="the end of its process")


def test_a_second_start_says_who_runs(run, tmp_path: Path):
    first = run()
    until(lambda: children(tmp_path), what="its process")
    second = run()
    assert second.wait(60) == 1
    said = second.stdout.read()
    assert "already running" in said
    assert f"kill {first.pid}" in said
    assert "Traceback" not in said


def test_a_terminal_that_closes_is_outlived_with_nohup(run, tmp_path: Path):
    started = run(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    until(lambda: children(tmp_path), what="its process")
    started.send_signal(signal.SIGHUP)
    (child,) = children(tmp_path)
    os.kill(child, signal.SIGKILL)
    until(lambda: children(tmp_path) not in ([], [child]), what="that it starts its process again")


def test_what_a_former_run_left_behind_is_named(fresh_database, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(single_instance, "ENDING_SECONDS", 0.1)
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        single_instance.write_note(tmp_path / "run.json", [left.pid])
        with pytest.raises(WrongState, match=f"kill {left.pid}"), single_instance.only_run():
            pass
    finally:
        left.kill()
        left.wait()
    with single_instance.only_run():
        pass


@pytest.mark.parametrize("note", ["", "[]", "no json", '{"children": {"1": "0"}}'])
def test_a_note_that_says_nothing_is_passed_over(fresh_database, tmp_path: Path, note):
    (tmp_path / "run.json").write_text(note)
    with single_instance.only_run() as kept:
        assert json.loads(kept.read_text())["pid"] == os.getpid()


def test_a_log_that_grows_too_long_is_turned_while_its_process_writes(monkeypatch, tmp_path):
    monkeypatch.setattr(supervisor, "LOG_LIMIT", 10)
    monkeypatch.setenv("OTN_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    writer = supervisor.Child("writer", None, [])
    writer.log_file.parent.mkdir()
    with writer.log_file.open("ab") as log:  # as the process has it open
        log.write(b"the first long line\n")
        log.flush()
        writer.rotate_log()
        log.write(b"second\n")
        log.flush()
        writer.rotate_log()  # it is short again

    assert writer.log_file.read_text() == "second\n"
    assert writer.log_file.with_suffix(".log.1").read_text() == "the first long line\n"
