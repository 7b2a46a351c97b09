"""Gives each request an id: its log lines carry it, and its answer names it in `X-Request-ID`."""

from __future__ import annotations

from starlette.types import Message, Scope, Send

from core import logs
from core.settings import settings

HEADER = b"x-request-id"


def with_request_id(scope: Scope, send: Send) -> Send:
    """Begin the request of `scope`, and return a `send` that adds its id to the answer. The id of a trusted
    proxy (OTN_TRUSTED_PROXIES) is kept, so that its lines and ours are found together."""
    header = (HEADER, logs.begin_request(_given_id(scope)).encode())

    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], header]}
        await send(message)

    return send_with_id


def _given_id(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == HEADER]
    if len(given) != 1 or not settings().is_trusted_proxy((scope.get("client") or ("",))[0]):
        return ""
    return str(given[0].decode("latin-1"))
