"""Makes HTTP calls. A call never raises: it returns the answer, or how far the call got.

Connections are kept and shared between threads. They are those of `requests`, with the proxies and
certificate authorities of the environment, but a call uses them directly: without redirects (a 302 would turn
a send into a GET), cookies and retries, and at half the cost.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import check_header_validity
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from core.messenger.errors import NextStep

_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class HttpAnswer:
    """The answer to a call, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class NoAnswer:
    """A call without an answer. `step` says whether the request can have left; `text` may hold secrets."""

    step: NextStep
    reason: str
    text: str


class Transport:
    """HTTP connections to one server. It may be used from several threads."""

    def __init__(self, base_url: str, *, connect_timeout: float, read_timeout: float, pool_size: int) -> None:
        self._base_url = base_url
        self._timeout = Timeout(connect=connect_timeout, read=read_timeout)
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._route = _route(base_url)
        self._pool: tuple[HTTPConnectionPool, bool] | None = None

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str | bytes],
        data: bytes | None = None,
        on_left: Callable[[], object] | None = None,
    ) -> HttpAnswer | NoAnswer:
        """Make one call, without redirects and retries. `on_left` is called when all of `data` has left."""
        try:
            for header in headers.items():
                check_header_validity(header)  # type: ignore[type-var]
            pool, by_proxy = self._pool = self._pool or self._opened()
            target = url if by_proxy else url[url.index("/", url.index("://") + 3) :]
        except Exception as error:
            return NoAnswer(NextStep.NOT_SENT, "not_connected", _words(error))
        body: bytes | Iterator[bytes] | None = data
        if on_left and data is not None:
            body, headers = _telling(data, on_left), {**headers, "Content-Length": str(len(data))}
        try:
            response = pool.urlopen(
                method,
                target,
                body=body,
                headers=headers,  # type: ignore[arg-type]  # bytes are fine
                redirect=False,
                assert_same_host=False,
                retries=self._adapter.max_retries,
                timeout=self._timeout,
            )
            return HttpAnswer(response.status, response.headers, response.data)
        except Exception as error:  # whatever broke, the platform may have received the request
            return _lost(error)

    def _opened(self) -> tuple[HTTPConnectionPool, bool]:
        """The pool of connections, and whether it needs whole URLs, as a proxy does."""
        request = requests.Request("GET", self._base_url).prepare()
        proxies, verify = self._route["proxies"], self._route["verify"]
        pool: Any = self._adapter.get_connection_with_tls_context(request, verify, proxies=proxies)
        self._adapter.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
        return pool, "://" in self._adapter.request_url(request, proxies)

    def close(self) -> None:
        """Close all connections."""
        self._pool = None
        self._adapter.close()


def _route(base_url: str) -> dict[str, Any]:
    """The proxies and certificate authorities of the environment, without a proxy to this machine."""
    found = requests.Session().merge_environment_settings(base_url, {}, None, None, None)
    here = urlsplit(base_url).hostname in _HERE
    return {"proxies": {} if here else found["proxies"], "verify": found["verify"]}


def _telling(data: bytes, on_left: Callable[[], object]) -> Iterator[bytes]:
    """The same data; when it has been written and the next is asked for, it has left."""
    yield data
    on_left()


def _lost(error: Exception) -> NoAnswer:
    cause = error.reason if isinstance(error, MaxRetryError) else error
    if _never_connected(cause):
        return NoAnswer(NextStep.NOT_SENT, "not_connected", _words(error))
    if isinstance(cause, ReadTimeoutError):
        return NoAnswer(NextStep.IN_DOUBT, "timeout", _words(error))
    garbled = isinstance(cause, DecodeError)
    return NoAnswer(NextStep.IN_DOUBT, "bad_answer" if garbled else "connection_lost", _words(error))


def _never_connected(cause: object) -> bool:
    """Whether it is certain that the request cannot have left."""
    if isinstance(cause, (NewConnectionError, ConnectTimeoutError, ProxyError)):
        return True
    return any(isinstance(arg, ssl.SSLCertVerificationError) for arg in getattr(cause, "args", ()))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


class _WithoutProof(logging.Filter):
    """Removes the proof of the app secret from the URLs that urllib3 logs at DEBUG."""

    _proof = re.compile(r"(appsecret_proof=)[^&\s]+")

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                self._proof.sub(r"\1[removed]", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutProof())
