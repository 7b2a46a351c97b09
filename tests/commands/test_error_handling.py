"""Whatever happens on the command line, people get a sentence and programs one JSON document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.commands.input_output import DISK_FULL
from core.settings_sources import HOME

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("fresh_database")]


def core(*arguments: str, code: str = "", **more: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(HOME), **more.pop("env", {})}
    script = (
        f"{code}\nimport sys; from core.__main__ import main; sys.argv = ['core', *{arguments!r}]; main()"
    )
    given = {"capture_output": True, "timeout": 60, **more}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False, **given)
    assert b"Traceback" not in (done.stderr or b"") + (done.stdout or b"")
    return done


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["topic", "list", "--no-such"], ["restore"], ["forget", "1", "2", "3"]]
)
def test_wrong_usage_is_one_document(arguments):
    done = core(*arguments, "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "usage")


BROKEN = "import core.commands.topic as t, core.consent.queries as q\nimport core.errors\n"
BROKEN += "def broken(*a, **k): raise RuntimeError('a secret')\nimport core.consent.queries\n"
BROKEN += "import core.fanpages.queries as f; f.list_fanpages = broken\n"
BROKEN += "import core.operations.doctor as d; d.find_problems = broken"


def test_what_nobody_foresaw_is_a_sentence_and_its_place_a_file(tmp_path: Path):
    done = core("doctor", "--json", code=BROKEN)
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (70, "unforeseen")
    log = (tmp_path / "logs" / "command-line.log").read_text()
    assert "in broken" in log
    assert "a secret" not in log + done.stdout.decode() + done.stderr.decode()
    done = core("doctor", code=BROKEN)
    assert done.returncode == 70
    assert done.stderr.startswith(b"Error: ")


@pytest.mark.parametrize(
    "arguments", [["topic", "list"], ["rekey"], ["accept-key"], ["forget", "25"], ["operator", "unlock", "a"]]
)
def test_a_database_that_a_newer_version_has_used_is_left_alone(arguments, fresh_database):
    fresh_database.run("UPDATE alembic_version SET version_num = '9999'")
    done = core(*arguments, "--json")
    assert "a newer one has been used with it" in json.loads(done.stdout)["error"]["message"]
    assert fresh_database.rows("SELECT count(*) FROM activity") == [(0,)]


def test_a_reader_that_has_gone_is_no_error_to_speak_of():
    reading, writing = os.pipe()
    os.close(reading)
    done = core("topic", "list", "--json", capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_full_disk_is_said():
    with Path("/dev/full").open("w") as full:
        done = core("topic", "list", "--json", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr.decode()) == (1, f"Error: {DISK_FULL}\n")


def test_closed_streams_are_no_error():
    closed = "import os; os.close(1); os.close(2); import sys; sys.stdout = sys.stderr = None"
    assert core("topic", "list", code=closed).returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16", "utf-8"])
@pytest.mark.parametrize("locale", ["C", "vi_VN.UTF-8", "no_SUCH"])
def test_any_encoding_and_locale(arrange, encoding, locale):
    arrange.topic(arrange.fanpage("Tiệm Hoa Mai 🌸"), "Hàng mới về 🌸")
    env = {"PYTHONIOENCODING": encoding, "LC_ALL": locale, "LANG": locale}
    assert core("topic", "list", env=env).returncode == 0
    done = core("topic", "list", "--json", env=env)
    assert json.loads(done.stdout.decode(encoding))["topics"][0]["name"] == "Hàng mới về 🌸"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r\n\r\n"])
def test_a_password_is_read_from_any_file(fresh_database, encoding, end):
    raw = f"mật khẩu rất dài 2026{end}".encode(encoding)
    if encoding != "utf-8" and not encoding.endswith(("sig", "16")):
        raw = f"mat khau rat dai 2026{end}".encode(encoding)
    done = core("operator", "add", "mai", "--role", "admin", "--password-stdin", "--json", input=raw)
    assert done.returncode == 0, done.stdout


def test_a_file_that_is_no_text_is_refused():
    done = core(
        "operator",
        "add",
        "mai",
        "--role",
        "viewer",
        "--password-stdin",
        "--json",
        input=b"\xff\xd8\xff\xe0 no text",
    )
    assert "UTF-8" in json.loads(done.stdout)["error"]["message"]
