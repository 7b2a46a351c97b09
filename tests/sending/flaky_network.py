"""A stretch of network between us and the platform: passes requests on, refuses connections, resets them."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

PASS, RESET_BEFORE, RESET_AFTER = "pass", "reset before", "reset after"


class FlakyNetwork:
    """`fate()` says of each request what becomes of it. A reset is a real RST, not a polite end."""

    def __init__(self, upstream: str) -> None:
        self.fate: Callable[[], str] = lambda: PASS
        self._upstream = urlsplit(upstream).hostname, urlsplit(upstream).port
        self._listener: socket.socket | None = None
        self._lines: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
            self._port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """From now on connections are refused; those that stand are cut."""
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            lines, self._lines = self._lines, set()
        for line in lines:
            _reset(line)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listener.accept()
                with self._lock:
                    self._lines.add(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), socket.create_connection(self._upstream) as onward:
            ask, answer = line.makefile("rb"), onward.makefile("rb")
            while request := _message(ask):
                fate = self.fate()
                if fate == RESET_BEFORE:
                    break
                onward.sendall(request)
                found = _message(answer)
                if fate == RESET_AFTER:
                    break
                line.sendall(found)
                if not found or not found.endswith(_body_of(found)):
                    break
        with self._lock:
            self._lines.discard(line)
        _reset(line)


def _message(stream: object) -> bytes:
    """One HTTP message with the length it promises; shorter when the other side hung up."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = stream.readline()
        if not part:
            return head
        head += part
    return head + stream.read(_length(head))


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def _body_of(message: bytes) -> bytes:
    head, _, body = message.partition(b"\r\n\r\n")
    return body if len(body) == _length(head) else b"\0incomplete"


def _reset(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RD)
    line.close()


@contextlib.contextmanager
def flaky_network(upstream: str) -> Iterator[FlakyNetwork]:
    made = FlakyNetwork(upstream)
    try:
        yield made
    finally:
        made.close()
