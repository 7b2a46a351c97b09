"""The real server over HTTP: crashes, a locked database, connections that misbehave, and its logs."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import uvicorn

from tests.inbox.platform import body, said, signed, tap
from webhook_server import webhook_endpoint
from webhook_server.application import create_app

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 30.0


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@dataclass
class Server:
    """A webhook server in a process of its own."""

    process: subprocess.Popen
    url: str
    log: Path

    def post(self, raw: bytes, timeout: float = PATIENCE) -> requests.Response:
        return requests.post(f"{self.url}/webhook", data=raw, headers=signed(raw), timeout=timeout)

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(fresh_database, tmp_path, free_port) -> Iterator[Callable[..., Server]]:
    """Starts servers on one port, as a supervisor would; what is left of them is ended."""
    started: list[Server] = []

    def _start(*command: str) -> Server:
        log = tmp_path / f"server-{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *(command or ("webhook_server",))],
                cwd=tmp_path,
                env={**os.environ, "OTN_WEBHOOK_PORT": str(free_port), "PYTHONPATH": str(REPOSITORY)},
                stderr=output,
                stdout=subprocess.DEVNULL,
            )
        server = Server(process, f"http://127.0.0.1:{free_port}", log)
        started.append(server)
        assert eventually(server.is_ready), log.read_text()
        return server

    yield _start
    for server in started:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


def test_what_was_answered_well_survives_a_kill(fanpage, start, fresh_database, now):
    server = start()
    answered: list[str] = []
    enough = threading.Event()

    def keep_posting(worker: int) -> None:
        for number in range(10_000):
            token = f"token-{worker}-{number}"
            try:
                response = server.post(body(tap(str(1000 + worker), now, token)))
            except requests.RequestException:
                return
            if response.status_code == 200:
                answered.append(token)
            if len(answered) > 300:
                enough.set()

    with ThreadPoolExecutor(8) as pool:
        for worker in range(8):
            pool.submit(keep_posting, worker)
        assert enough.wait(PATIENCE)
        server.end(signal.SIGKILL)

    stored = fresh_database.count("event")
    assert len(answered) <= stored <= len(answered) + 8  # at most what was in flight
    start()  # the next process applies what the dead one had only stored
    assert eventually(lambda: fresh_database.count("opt_in") == stored)


@pytest.mark.sqlite
def test_a_locked_database_is_a_503_and_the_server_recovers(fanpage, start, fresh_database, now):
    server = start()
    lock = sqlite3.connect(fresh_database.name, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    refused = server.post(body(tap("25", now, "token-1")), timeout=10)  # SQLite itself would wait for 15
    alive = requests.get(f"{server.url}/healthz", timeout=PATIENCE)
    lock.execute("ROLLBACK")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert alive.status_code == 200
    assert server.post(body(tap("25", now, "token-1"))).status_code == 200
    assert eventually(lambda: fresh_database.count("opt_in") == 1)


def test_it_ends_cleanly_and_says_so(fanpage, start, fresh_database, now):
    server = start()
    assert server.post(body(said("25", now, "hi", "m_1"))).status_code == 200
    assert eventually(lambda: fresh_database.count("heartbeat") == 1)

    assert server.end(signal.SIGTERM) in (0, -signal.SIGTERM)

    assert fresh_database.count("event") == 1
    assert fresh_database.count("heartbeat") == 0
    assert "webhook_closed" in server.log.read_text()


def test_its_logs_are_json_without_secrets_or_words_of_customers(fanpage, start, now):
    server = start()
    raw = body(tap("25", now, "s3cret-token"), said("25", now, "loi khach noi", "m_1"))
    server.post(raw)
    requests.post(
        f"{server.url}/webhook", data=raw, headers={"X-Hub-Signature-256": "forged"}, timeout=PATIENCE
    )
    asked = {"hub.mode": "subscribe", "hub.verify_token": "guessed-token", "hub.challenge": "1"}
    requests.get(f"{server.url}/webhook", params=asked, timeout=PATIENCE)
    server.end(signal.SIGTERM)

    text = server.log.read_text()
    events = {json.loads(line)["event"] for line in text.splitlines()}
    assert {"webhook_opened", "webhook_refused", "webhook_verification_refused", "webhook_closed"} <= events
    for secret in ("s3cret-token", "loi khach", "guessed-token", "app-secret-for-tests", "forged"):
        assert secret not in text


def test_under_plain_uvicorn_no_verify_token_is_logged_either(start, free_port):
    server = start("uvicorn", "webhook_server.main:app", "--port", str(free_port))
    asked = {"hub.mode": "subscribe", "hub.verify_token": "verify-token-for-tests", "hub.challenge": "42"}

    answer = requests.get(f"{server.url}/webhook", params=asked, timeout=PATIENCE)
    server.end(signal.SIGTERM)

    assert answer.text == "42"
    assert "verify-token-for-tests" not in server.log.read_text()


@pytest.fixture
def in_thread(fresh_database, free_port) -> Iterator[tuple[str, int]]:
    """The server in a thread of this process, so that its limits can be made small."""
    config = uvicorn.Config(create_app(), host="127.0.0.1", port=free_port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert eventually(lambda: server.started)
    yield "127.0.0.1", free_port
    server.should_exit = True
    thread.join(PATIENCE)


def answer_to(address: tuple[str, int], sent: bytes) -> bytes:
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(sent)
        return connection.recv(65536)


def test_a_body_that_never_arrives_is_given_up(monkeypatch, in_thread):
    monkeypatch.setattr(webhook_endpoint, "BODY_SECONDS", 0.05)

    answer = answer_to(in_thread, b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")

    assert answer.startswith(b"HTTP/1.1 408")


def test_a_length_too_large_is_refused_before_the_body(in_thread):
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {10**11}\r\n\r\n"

    answer = answer_to(in_thread, head.encode())

    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"too_large"' in answer


def test_a_connection_that_ends_halfway_harms_nobody(fanpage, in_thread, now):
    with socket.create_connection(in_thread, timeout=PATIENCE) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    raw = body(tap("25", now, "token-1"))

    host, port = in_thread
    response = requests.post(f"http://{host}:{port}/webhook", data=raw, headers=signed(raw), timeout=PATIENCE)

    assert response.status_code == 200


def test_many_at_once_are_all_stored_once(fanpage, in_thread, fresh_database, now):
    host, port = in_thread
    bodies = [body(*(tap(str(n), now, f"token-{n}-{k}") for k in range(20))) for n in range(60)] * 2

    def post(raw: bytes) -> int:
        url = f"http://{host}:{port}/webhook"
        return requests.post(url, data=raw, headers=signed(raw), timeout=PATIENCE).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(post, bodies)) == {200}

    assert fresh_database.count("event") == 1200
    assert eventually(lambda: fresh_database.count("opt_in") == 1200)
