"""A small real HTTP server that answers as told, for looking at what the client does on the wire."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: tuple[str, int]

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass
class Reply:
    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)


Script = Reply | Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        assert isinstance(self.server, _Server)
        graph = self.server.graph
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        graph.seen.append(
            Seen(self.command, parts.path, query, dict(self.headers), body, self.client_address)
        )
        script = graph.next_script()
        if isinstance(script, Reply):
            self.answer(script)
        else:
            script(self)

    do_GET = do_POST = _serve

    def answer(self, reply: Reply) -> None:
        text = reply.body if isinstance(reply.body, (str, bytes)) else json.dumps(reply.body)
        raw = text.encode() if isinstance(text, str) else text
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(raw)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    graph: Graph

    def shutdown_request(self, request: object) -> None:
        super().shutdown_request(request)
        self.graph.hung_up.set()

    def handle_error(self, *args: object) -> None:
        """A connection the test broke on purpose is no news."""


class Graph:
    """`will(...)` queues what to answer next; the last one is repeated."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.released = threading.Event()
        self.hung_up = threading.Event()  # a connection was closed from this side
        self._scripts: list[Script] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.graph = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def will(self, *scripts: Script) -> None:
        with self._lock:
            self._scripts = list(scripts)

    def next_script(self) -> Script:
        with self._lock:
            return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    def hang(self, handler: Handler) -> None:
        """Say nothing until the test is over."""
        self.released.wait(30)
        handler.close_connection = True

    def close_silently(self, handler: Handler) -> None:
        handler.close_connection = True

    def answer_and_hang_up(self, handler: Handler) -> None:
        """As a server does that is tired of an idle connection: without a word beforehand."""
        handler.answer(Reply(200, {"message_id": "m_1"}))
        handler.close_connection = True

    def reset(self, handler: Handler) -> None:
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.rfile.close()
        handler.wfile.close()
        handler.connection.close()
        handler.close_connection = True

    def break_off(self, handler: Handler) -> None:
        """Promise a longer body than is sent."""
        handler.answer(Reply(200, '{"message_id":', {"Content-Length": "500"}))
        handler.close_connection = True

    def stall_in_body(self, handler: Handler) -> None:
        handler.answer(Reply(200, '{"message_id":', {"Content-Length": "500"}))
        self.hang(handler)


@contextmanager
def running_graph() -> Iterator[Graph]:
    graph = Graph()
    graph.start()
    try:
        yield graph
    finally:
        graph.close()
