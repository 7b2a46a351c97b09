"""Limits what a stranger's connections can take from the webhook server.

uvicorn waits for the head of a request as long as it takes, and accepts whoever connects: a thousand open
connections that say nothing would leave no file handle for the platform. So a connection that has not
brought a whole request in time is closed, and so is one whose head is too long; and one address, of IPv6 one
network, has only so many. What comes through a trusted proxy counts for the proxy, which has limits of its
own (docs/scale-out).
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.accounts.rules import counted_address
from core.settings import settings

REQUEST_SECONDS = 15.0  # a whole request, its body included; the platform gives up after 5
CONNECTIONS_PER_ADDRESS = 100
FILE_HANDLES = 65_536

HEAD_LIMIT = 64 * 1024  # bytes of a request's address and headers

_open: Counter[str] = Counter()


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's own protocol with these limits."""

    _address: str | None = None
    _head = 0
    _has_head = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = str((transport.get_extra_info("peername") or ("",))[0])
        if not settings().is_trusted_proxy(address):
            self._address = address = counted_address(address)
            _open[address] += 1
            if _open[address] > CONNECTIONS_PER_ADDRESS:
                transport.close()
                return
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()
        if self._address is not None:
            _open[self._address] -= 1
            if _open[self._address] <= 0:
                del _open[self._address]
            self._address = None

    def data_received(self, data: bytes) -> None:
        if not self._has_head:
            self._head += len(data)
        super().data_received(data)
        if not self._has_head and self._head > HEAD_LIMIT:
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._has_head = True
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._wait_for_request()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head, self._has_head = 0, False
        self._stop_waiting()

    def _wait_for_request(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(REQUEST_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def allow_file_handles() -> None:
    """Let this process have as many open files as the machine allows it, at most `FILE_HANDLES`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted: Any = FILE_HANDLES if hard == resource.RLIM_INFINITY else min(FILE_HANDLES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
