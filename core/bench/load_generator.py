"""Sends signed webhooks at little cost: by raw sockets, signed beforehand, from a process of its own."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import cast

import uvloop

from core.messenger.signature import HEADER, sign

PSID = 10**16  # the first customer's; the others count up
SENT_MS = 1_790_000_000_000  # when the first tap was made
PATIENCE = 600


@dataclass(frozen=True)
class Load:
    """What to send: so many distinct opt-ins, so many to a body, over so many kept connections."""

    port: int
    page_id: str
    secret: str
    opt_ins: int
    to_a_body: int
    connections: int


@dataclass(frozen=True)
class LoadResult:
    """How long the requests took, and how many were refused."""

    seconds: float
    milliseconds: list[float]  # of each request answered with 200, sorted
    refused: int
    cpu_seconds: float

    def percentile(self, share: float) -> float:
        return round(self.milliseconds[int(len(self.milliseconds) * share)], 1) if self.milliseconds else 0.0


class LoadGenerator:
    """A process that signs all requests when it is made and sends them when `run` is called."""

    def __init__(self, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run_generator, args=(load, theirs), daemon=True)
        self._process.start()
        theirs.close()  # so that we notice when the process ends
        self._pipe.recv()

    def run(self) -> LoadResult:
        """Send all requests and return when the last is answered."""
        self._pipe.send("go")
        if not self._pipe.poll(PATIENCE):
            raise TimeoutError("the server did not answer everything")
        heard: LoadResult = self._pipe.recv()
        return heard

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def payload(number: int) -> str:
    """The payload of the request that opt-in `number` answers."""
    return f"otn.bench-{number:012}"


def _run_generator(load: Load, pipe: Connection) -> None:
    requests = list(_requests(load))
    pipe.send("ready")
    pipe.recv()
    pipe.send(uvloop.run(_send_all(load, requests)))  # it shares the processors with what is measured


def _requests(load: Load) -> Iterator[bytes]:
    for start in range(0, load.opt_ins, load.to_a_body):
        numbers = range(start, min(start + load.to_a_body, load.opt_ins))
        yield _request(load, [_tap(load.page_id, number) for number in numbers])


def _tap(page_id: str, number: int) -> dict[str, object]:
    token = f"{number:08}{(number * 2_654_435_761) % 2**64:020}".ljust(64, "7")
    optin = {"type": "one_time_notif_req", "payload": payload(number), "one_time_notif_token": token}
    who = {"sender": {"id": str(PSID + number)}, "recipient": {"id": page_id}}
    return {**who, "timestamp": SENT_MS + number, "optin": optin}


def _request(load: Load, taps: list[dict[str, object]]) -> bytes:
    entry = {"id": load.page_id, "time": SENT_MS, "messaging": taps}
    body = json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode()
    head = (
        "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\n{HEADER}: {sign(load.secret, body)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _send_all(load: Load, requests: list[bytes]) -> LoadResult:
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    finished = [loop.create_future() for _ in range(min(load.connections, len(requests)))]
    cpu, began = time.process_time(), time.perf_counter()
    connections = [_LoadConnection(waiting, done) for done in finished]
    for each in connections:
        await loop.create_connection(lambda each=each: each, "127.0.0.1", load.port)  # type: ignore[misc]
    await asyncio.gather(*finished)
    seconds = time.perf_counter() - began
    taken = sorted(each for one in connections for each in one.milliseconds)
    return LoadResult(seconds, taken, sum(one.refused for one in connections), time.process_time() - cpu)


class _LoadConnection(asyncio.Protocol):
    """One connection, which sends the next request when the last is answered."""

    def __init__(self, waiting: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self._waiting = waiting
        self._done = done
        self._buffer = b""
        self.milliseconds: list[float] = []
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def connection_lost(self, _problem: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < end + 4 + _length(self._buffer[:end]):
            return
        if self._buffer.startswith(b"HTTP/1.1 200"):
            self.milliseconds.append((time.perf_counter() - self._sent_at) * 1000)
        else:
            self.refused += 1
        self._buffer = b""
        self._send()

    def _send(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self._done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
