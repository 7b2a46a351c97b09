"""One HTTP call and what became of it: an answer, or how far it got. Never raises, knows no codes.

Connections are kept and shared between threads. They are `requests`', with the environment's proxies and
authorities, but each call goes to them directly: no redirects (a 302 would turn a send into a GET), no
cookies, no retries, and half the price.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Mapping
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
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class NoAnswer:
    """No answer. `step` says whether anything can have left; `text` may hold secrets still."""

    step: NextStep
    reason: str
    text: str


class Transport:
    def __init__(self, base_url: str, *, connect_timeout: float, read_timeout: float, pool_size: int) -> None:
        self._base_url = base_url
        self._timeout = Timeout(connect=connect_timeout, read=read_timeout)
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._route = _route(base_url)
        self._lines: tuple[HTTPConnectionPool, bool] | None = None

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str | bytes], data: bytes | None = None
    ) -> HttpAnswer | NoAnswer:
        try:
            for header in headers.items():
                check_header_validity(header)  # type: ignore[type-var]
            pool, by_proxy = self._lines = self._lines or self._opened()
            target = url if by_proxy else url[url.index("/", url.index("://") + 3) :]
        except Exception as error:
            return NoAnswer(NextStep.NOT_SENT, "not_connected", _words(error))
        try:
            response = pool.urlopen(
                method,
                target,
                body=data,
                headers=headers,  # type: ignore[arg-type]  # bytes are fine
                redirect=False,
                assert_same_host=False,
                retries=self._adapter.max_retries,
                timeout=self._timeout,
            )
            return HttpAnswer(response.status, response.headers, response.data)
        except Exception as error:  # whatever broke, the platform may have heard us
            return _lost(error)

    def _opened(self) -> tuple[HTTPConnectionPool, bool]:
        """Where connections come from, and whether it wants whole URLs."""
        request = requests.Request("GET", self._base_url).prepare()
        proxies, verify = self._route["proxies"], self._route["verify"]
        pool: Any = self._adapter.get_connection_with_tls_context(request, verify, proxies=proxies)
        self._adapter.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
        return pool, "://" in self._adapter.request_url(request, proxies)

    def close(self) -> None:
        self._lines = None
        self._adapter.close()


def _route(base_url: str) -> dict[str, Any]:
    """Proxies and certificate authorities of the environment, read once; never a proxy to this machine."""
    found = requests.Session().merge_environment_settings(base_url, {}, None, None, None)
    here = urlsplit(base_url).hostname in _HERE
    return {"proxies": {} if here else found["proxies"], "verify": found["verify"]}


def _lost(error: Exception) -> NoAnswer:
    cause = error.reason if isinstance(error, MaxRetryError) else error
    if _never_connected(cause):
        return NoAnswer(NextStep.NOT_SENT, "not_connected", _words(error))
    if isinstance(cause, ReadTimeoutError):
        return NoAnswer(NextStep.IN_DOUBT, "timeout", _words(error))
    garbled = isinstance(cause, DecodeError)
    return NoAnswer(NextStep.IN_DOUBT, "bad_answer" if garbled else "connection_lost", _words(error))


def _never_connected(cause: object) -> bool:
    """Only what is certain: the request cannot have left."""
    if isinstance(cause, (NewConnectionError, ConnectTimeoutError, ProxyError)):
        return True
    return any(isinstance(arg, ssl.SSLCertVerificationError) for arg in getattr(cause, "args", ()))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


class _WithoutProof(logging.Filter):
    """urllib3 logs every URL at DEBUG; the proof of the app secret is part of ours."""

    _proof = re.compile(r"(appsecret_proof=)[^&\s]+")

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                self._proof.sub(r"\1[removed]", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutProof())
