"""What strangers who only connect can take from the webhook server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests
import uvicorn

from webhook_server import connections
from webhook_server.application import create_app
from webhook_server.connections import LimitedProtocol

PATIENCE = 30.0
STRANGER = "127.0.0.2"  # this machine by another name, which no proxy has


@pytest.fixture
def address(fresh_database, free_port) -> Iterator[tuple[str, int]]:
    """The server in a thread of this process, so that its limits can be made small."""
    config = uvicorn.Config(
        create_app(), host="127.0.0.1", port=free_port, log_level="error", http=LimitedProtocol
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    yield "127.0.0.1", free_port
    server.should_exit = True
    thread.join(PATIENCE)


def connect(address: tuple[str, int], source: str = STRANGER) -> socket.socket:
    return socket.create_connection(address, timeout=PATIENCE, source_address=(source, 0))


def is_closed(connection: socket.socket) -> bool:
    """Waits until the other end closes it; an answer would mean that it did not."""
    try:
        return connection.recv(1000) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTT", b"POST /webhook HTTP/1.1\r\nHost: x\r\nA: b"])
def test_a_connection_that_brings_no_request_is_closed(monkeypatch, address, begun):
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.2)
    with connect(address) as silent:
        silent.sendall(begun)
        assert is_closed(silent)


def test_a_kept_connection_may_wait_between_its_requests(monkeypatch, address):
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.2)
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(address) as kept, connect(address) as silent:
        kept.sendall(ask)
        assert kept.recv(1000).startswith(b"HTTP/1.1 200")
        assert is_closed(silent)  # so much time has gone by
        kept.sendall(ask)
        assert kept.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_head_without_end_is_not_kept(monkeypatch, address):
    with connect(address) as endless:
        endless.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: ")
        with contextlib.suppress(OSError):
            for _ in range(2 * connections.HEAD_LIMIT // 1000):
                endless.sendall(b"b" * 1000)
        assert is_closed(endless)


def test_a_body_is_no_head(monkeypatch, address):
    monkeypatch.setattr(connections, "HEAD_LIMIT", 1000)
    with connect(address) as kept:
        for _ in range(3):
            kept.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
            kept.sendall(b"b" * 5000)
            assert kept.recv(1000).startswith(b"HTTP/1.1 403")


def test_one_address_has_only_so_many_connections(monkeypatch, address):
    monkeypatch.setattr(connections, "CONNECTIONS_PER_ADDRESS", 3)
    allowed = [connect(address) for _ in range(3)]
    with connect(address) as one_more:
        assert is_closed(one_more)
    assert requests.get("http://{}:{}/healthz".format(*address), timeout=PATIENCE).status_code == 200
    for each in allowed:
        each.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert each.recv(1000).startswith(b"HTTP/1.1 200")
        while each.recv(1000):
            pass
        each.close()
    with connect(address) as later:
        later.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert later.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_proxy_that_is_trusted_has_as_many_as_it_needs(monkeypatch, address):
    monkeypatch.setattr(connections, "CONNECTIONS_PER_ADDRESS", 1)
    through = [connect(address, "127.0.0.1") for _ in range(5)]
    for each in through:
        each.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert each.recv(1000).startswith(b"HTTP/1.1 200")
        each.close()
