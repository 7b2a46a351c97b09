"""Whoever launched a broadcast is told that it has ended, in the panel and outside."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from core.accounts.rules import COMMAND_LINE
from core.alerts.scheduled_jobs import tell_ends
from core.broadcasts import actions, scheduled_jobs
from core.broadcasts.ends import close_notice, ends_for
from core.settings import settings
from tests.sending.conftest import Studio, studio, wire  # noqa: F401


@pytest.fixture
def hook(monkeypatch):
    """A webhook that keeps what it is told; `answers` are its next answers."""

    class Hook(BaseHTTPRequestHandler):
        told: ClassVar[list[dict]] = []
        answers: ClassVar[list[int]] = []

        def do_POST(self) -> None:
            self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(self.answers.pop(0) if self.answers else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    Hook.told.clear()
    Hook.answers.clear()
    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTN_ALERT_URL", f"json://127.0.0.1:{server.server_port}/hook")
    settings.cache_clear()
    yield Hook
    server.shutdown()
    server.server_close()


def ended(studio: Studio) -> int:  # noqa: F811
    """A broadcast that went to two people."""
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(1)
    return broadcast_id


def test_the_end_is_told_once(studio, hook):  # noqa: F811
    ended(studio)
    assert [tell_ends(now=studio.now) for _ in range(3)] == [1, 0, 0]
    (told,) = hook.told
    assert "2/2 khách hàng đã nhận" in told["message"]
    assert told["title"].startswith("Đã gửi xong: ")


def test_what_was_not_taken_is_told_again_for_a_day(studio, hook):  # noqa: F811
    ended(studio)
    hook.answers.extend([500, 200])
    assert [tell_ends(now=studio.now) for _ in range(3)] == [0, 1, 0]


def test_after_a_day_it_is_no_news_any_more(studio, hook):  # noqa: F811
    ended(studio)
    hook.answers.append(500)
    studio.now += timedelta(days=2)
    assert [tell_ends(now=studio.now) for _ in range(2)] == [0, 0]


def test_without_an_address_nothing_is_kept_for_later(studio, monkeypatch, hook):  # noqa: F811
    monkeypatch.setenv("OTN_ALERT_URL", "")
    settings.cache_clear()
    ended(studio)
    tell_ends(now=studio.now)
    monkeypatch.setenv("OTN_ALERT_URL", "json://127.0.0.1:9/hook")
    settings.cache_clear()
    assert tell_ends(now=studio.now) == 0


def test_whoever_launched_it_has_a_notice_until_they_close_it(studio):  # noqa: F811
    broadcast_id = ended(studio)
    (end,) = ends_for(COMMAND_LINE.name)
    assert (end.id, end.sent, end.audience) == (broadcast_id, 2, 2)
    assert ends_for("somebody.else") == []
    close_notice(COMMAND_LINE, broadcast_id, now=studio.now)
    assert ends_for(COMMAND_LINE.name) == []


def test_what_one_has_cancelled_oneself_is_no_news(studio, hook):  # noqa: F811
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    assert ends_for(COMMAND_LINE.name) == []
    assert tell_ends(now=studio.now) == 1  # but the others want to know
    assert hook.told[0]["title"].startswith("Đã hủy: ")


def test_a_missed_one_says_that_nothing_was_sent(studio, hook):  # noqa: F811
    studio.people(1)
    broadcast_id = studio.broadcast()
    soon = studio.now + timedelta(minutes=5)
    actions.schedule(
        COMMAND_LINE, broadcast_id, at=soon, best_before=soon + timedelta(minutes=5), now=studio.now
    )
    studio.now += timedelta(hours=1)
    scheduled_jobs.end_too_late(now=studio.now)
    assert [end.state for end in ends_for(COMMAND_LINE.name)] == ["missed"]
    tell_ends(now=studio.now)
    assert "chưa gửi gì" in hook.told[0]["message"]


def test_an_address_that_nobody_understands_is_logged_without_it(studio, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setenv("OTN_ALERT_URL", "nonsense-secret-word")
    settings.cache_clear()
    ended(studio)
    assert tell_ends(now=studio.now) == 0
    assert "nonsense-secret-word" not in "".join(capsys.readouterr())
