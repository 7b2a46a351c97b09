"""A fast stand-in for the Graph API, for benchmarks only: it accepts everything, after a set latency.

It records and checks nothing; `core.simulator` does. It is one process with one asyncio loop that reads just
enough HTTP/1.1 never to be the bottleneck.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import cast

_ITEM = {"code": 200, "body": json.dumps({"recipient_id": "25000000000000001", "message_id": "m_stub"})}


class Stub(asyncio.Protocol):
    """The protocol of one connection to the stub."""

    def __init__(self, latency: float) -> None:
        self.latency = latency  # seconds
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            size = end + 4 + _content_length(head)
            if len(self.buffer) < size:
                return
            body, self.buffer = self.buffer[end + 4 : size], self.buffer[size:]
            self._answer(self.answer_to(head, body))

    def answer_to(self, head: bytes, body: bytes) -> bytes:
        return _answer_for(items_of(head, body))

    def _answer(self, content: bytes) -> None:
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self._write, content)
        else:
            self._write(content)

    def _write(self, content: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(content)


def _content_length(head: bytes) -> int:
    at = head.find(b"content-length:")
    return int(head[at + 15 : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None]) if at >= 0 else 0


def items_of(head: bytes, body: bytes) -> int:
    """How many messages a batch holds; 0 for a plain send."""
    target = head.split(b" ", 2)[1].split(b"?", 1)[0]
    return 0 if target.endswith(b"messages") else max(body.count(b"relative_url"), 1)


def document(content: object) -> bytes:
    """A whole HTTP response with this JSON document."""
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_cache: dict[int, bytes] = {}


def _answer_for(items: int) -> bytes:
    if items not in _cache:
        _cache[items] = document([_ITEM] * items if items else json.loads(str(_ITEM["body"])))
    return _cache[items]


def _serve(make: Callable[[], Stub], say: Connection) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(make, "127.0.0.1", 0, backlog=512)
        say.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def running_stub(latency_seconds: float) -> Iterator[str]:
    """Run the stub in a process of its own while the block lasts, and give its base URL."""
    with serving_stub(partial(Stub, latency_seconds)) as url:
        yield url


@contextmanager
def serving_stub(make: Callable[[], Stub]) -> Iterator[str]:
    """Run any stub, made anew for each connection, in a process of its own, and give its base URL."""
    context = multiprocessing.get_context("spawn")
    hear, say = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(make, say), daemon=True)
    process.start()
    say.close()  # it is the other's: if that ends before it says anything, `recv` raises
    try:
        yield f"http://127.0.0.1:{hear.recv()}"
    finally:
        process.terminate()
        process.join()
