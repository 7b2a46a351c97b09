"""One HTTP call and what became of it: an answer, or how far it got. Never raises, knows no codes.

Connections are kept and shared between threads. `requests`' adapter is used without its session: no
redirects (a 302 would turn a send into a GET), no cookies, no environment read per call, no retries.
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
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from core.messenger.errors import NextStep

_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Lost:
    """No answer. `step` says whether anything can have left; `text` may hold secrets still."""

    step: NextStep
    reason: str
    text: str


class Transport:
    def __init__(self, base_url: str, *, connect_timeout: float, read_timeout: float, pool_size: int) -> None:
        self._timeout = (connect_timeout, read_timeout)
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._route = _route(base_url)

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str | bytes], data: bytes | None = None
    ) -> HttpAnswer | Lost:
        try:
            request = requests.Request(method, url, headers=dict(headers), data=data).prepare()
        except Exception as error:
            return Lost(NextStep.NOT_SENT, "not_connected", _words(error))
        try:
            response = self._adapter.send(request, timeout=self._timeout, **self._route)
            return HttpAnswer(response.status_code, response.headers, response.content)
        except Exception as error:  # whatever broke, the platform may have heard us
            return _lost(error)

    def close(self) -> None:
        self._adapter.close()


def _route(base_url: str) -> dict[str, Any]:
    """Proxies and certificate authorities of the environment, read once; never a proxy to this machine."""
    found = requests.Session().merge_environment_settings(base_url, {}, None, None, None)
    here = urlsplit(base_url).hostname in _HERE
    return {"proxies": {} if here else found["proxies"], "verify": found["verify"]}


def _lost(error: Exception) -> Lost:
    inner = error.args[0] if error.args else None
    if _never_connected(error, getattr(inner, "reason", inner)):
        return Lost(NextStep.NOT_SENT, "not_connected", _words(error))
    if isinstance(error, requests.ReadTimeout) or isinstance(inner, ReadTimeoutError):
        return Lost(NextStep.IN_DOUBT, "timeout", _words(error))
    garbled = isinstance(error, requests.exceptions.ContentDecodingError)
    return Lost(NextStep.IN_DOUBT, "bad_answer" if garbled else "connection_lost", _words(error))


def _never_connected(error: Exception, cause: object) -> bool:
    """Only what is certain: the request cannot have left."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    if isinstance(cause, (NewConnectionError, ConnectTimeoutError)):
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
