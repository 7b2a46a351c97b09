"""A webhook and a mail server on loopback that are told of alerts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from core.settings import settings
from tests.alerts.mail_server import MailServer
from tests.sending.conftest import call_threads, studio  # noqa: F401


@pytest.fixture
def hook(monkeypatch):
    """A webhook that keeps what it is told; `answers` are its next answers."""

    class Hook(BaseHTTPRequestHandler):
        told: ClassVar[list[dict]] = []
        answers: ClassVar[list[int]] = []
        address: ClassVar[str] = ""

        def do_POST(self) -> None:
            self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(self.answers.pop(0) if self.answers else 200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    Hook.told.clear()
    Hook.answers.clear()
    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTN_ALERT_URL", f"json://127.0.0.1:{server.server_port}/hook")
    settings.cache_clear()
    Hook.address = f"http://127.0.0.1:{server.server_port}/bot"
    yield Hook
    server.shutdown()
    server.server_close()


@pytest.fixture
def mailbox(fresh_database, monkeypatch) -> Iterator[MailServer]:
    server = MailServer()
    chosen = {
        "ALERT_EMAIL": "lan@shop.vn, minh@shop.vn",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(server.port),
        "SMTP_SECURITY": "none",
        "SMTP_USER": "shop",
        "SMTP_PASSWORD": "a-mail-secret",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(f"OTN_{name}", value)
    settings.cache_clear()
    yield server
    server.close()
