"""What is said again and again is said once a minute, and libraries speak as we do."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from core import logs


@pytest.fixture
def configured() -> Iterator[io.StringIO]:
    before, root = structlog.get_config(), logging.getLogger()
    handlers = list(root.handlers)
    logs.configure()
    (ours,) = set(root.handlers) - set(handlers)
    said = io.StringIO()
    assert isinstance(ours, logging.StreamHandler)
    ours.setStream(said)
    yield said
    structlog.configure(**before)
    root.handlers = handlers


@pytest.mark.parametrize("event", ["database_unavailable", "intake_failed"])
def test_what_lasts_is_said_once_a_minute(event: str) -> None:
    now, said = 1000.0, []
    sparing = logs.ThrottleRepeats(lambda: now)
    for fanpage_id in range(130):
        with contextlib.suppress(structlog.DropEvent):
            said.append(sparing(None, "warning", {"event": event, "n": fanpage_id}))
        now += 1
    assert [(line["n"], line.get("left_out")) for line in said] == [(0, None), (60, 59), (120, 59)]


def test_anything_else_is_always_said() -> None:
    sparing = logs.ThrottleRepeats(lambda: 1000.0)
    lines = [sparing(None, "warning", {"event": "clock_jumped"}) for _ in range(3)]
    assert lines == [{"event": "clock_jumped"}] * 3


def test_lines_of_libraries_are_json_and_name_no_address(configured: io.StringIO) -> None:
    logging.getLogger("procrastinate.worker").warning("stopped")
    logging.getLogger("psycopg.pool").warning("error connecting: server at 10.0.0.5")
    (line,) = configured.getvalue().splitlines()
    assert json.loads(line)["event"] == "stopped"


def test_what_a_library_says_of_every_strange_request_is_said_once_a_minute_with_a_count(
    configured: io.StringIO,
) -> None:
    server, now = logging.getLogger("a.server"), [1000.0]
    server.filters = [logs.ThrottledLibrary(lambda: now[0])]
    for _ in range(300):
        server.warning("Invalid HTTP request received.")
    for trouble in (TypeError("text"), TypeError("text"), ValueError("other")):
        server.error("Exception in ASGI application", exc_info=trouble)
    now[0] += 60
    server.warning("Invalid HTTP request received.")
    said = [json.loads(line)["event"] for line in configured.getvalue().splitlines()]
    assert said[:3] == ["Invalid HTTP request received.", *["Exception in ASGI application"] * 2]
    assert said[3].startswith("Invalid HTTP request received. (and 299 times more")


def test_what_postgresql_quotes_of_a_row_is_not_written_down(configured: io.StringIO) -> None:
    said = (
        'duplicate key value violates unique constraint "uq_customer"\n'
        "DETAIL:  Key (fanpage_id, psid)=(1, 25\n0) already exists.\n[SQL: INSERT]"
    )
    try:
        try:
            raise ValueError(said)
        except ValueError as inner:
            raise TypeError(said) from inner
    except TypeError as failed:
        logging.getLogger("a.library").error("failed", exc_info=failed)
    (line,) = configured.getvalue().splitlines()
    assert "psid" not in line
    assert line.count("DETAIL: [removed]") == 2
    assert "[SQL: INSERT]" in line
    assert "uq_customer" in line


def test_a_websockets_address_is_not_written_down(configured: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "127.0.0.1", "/?secret=a")
    assert configured.getvalue() == ""


def test_the_servers_lines_are_throttled_once_however_often_logging_is_set_up(
    configured: io.StringIO,
) -> None:
    logs.configure()
    filters = logging.getLogger("uvicorn.error").filters
    assert sum(isinstance(each, logs.ThrottledLibrary) for each in filters) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_under_the_log_ends_nobody_who_wants_to_say_something() -> None:
    said = (
        "import logging, structlog; from core import logs; logs.configure();"
        "structlog.get_logger().error('events_not_stored', text='x' * 20_000); logging.error('y' * 20_000);"
        "print('went on')"
    )
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([sys.executable, "-c", said], stderr=full, stdout=subprocess.PIPE, text=True)
    assert ended.stdout == "went on\n"


def test_a_closed_log_ends_nobody_either() -> None:
    stream = io.StringIO()
    stream.close()
    logs.NeverFailing(stream).write("x")
    logs.NeverFailing(stream).flush()
