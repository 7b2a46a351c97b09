"""Binds Streamlit's sessions to the cookie of the connection, at every connection, upload and download.

Streamlit resumes a session for whoever knows its id, which stands in the addresses of uploads, unless the
connection brings another identity (`server.trustedUserHeaders` in .streamlit/config.toml). Here the cookie is
that identity. Each message of an open connection is preceded by a look whether the session still is: no run,
fragment or callback begins for somebody who was signed out or disabled. Decision 0047. Who is not signed in
has a ceiling (pages/shell/strangers.py).
"""

from __future__ import annotations

import logging
import secrets

from anyio import to_thread
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core.accounts.session_queries import find_session, is_open
from core.accounts.sessions import hash_of
from core.clock import utc_now
from pages.components.session import ENDED_BEFORE, HEADER
from pages.shell import cookie
from pages.shell.strangers import MOST_BYTES, Strangers

log = logging.getLogger("panel")
# Websocket codes: Streamlit takes no text; not allowed; too big a message; try again later.
NO_TEXT, POLICY, TOO_BIG, LATER = 1003, 1008, 1009, 1013


class SessionBinding:
    """See the head of this file."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.strangers = Strangers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        who = await to_thread.run_sync(_who, HTTPConnection(scope)) if _matters(scope) else nobody()
        scope = {**scope, "headers": _with_header(scope, who)}
        if scope["type"] == "websocket":
            if _is_signed_in(who):
                return await self._connect(scope, receive, send, who)
            return await self._connect_stranger(scope, receive, send, who)
        if scope["type"] == "http" and _is_shut(scope["path"]):
            return await Response("Not Found", status_code=404)(scope, receive, send)
        if _matters(scope) and not _may_fetch(scope, who):
            return await Response("Sign in first.", status_code=403)(scope, receive, send)
        return await self.app(scope, receive, send)

    async def _connect_stranger(self, scope: Scope, receive: Receive, send: Send, who: str) -> None:
        address = (scope.get("client") or ("",))[0]
        if not self.strangers.let_in(address):
            return await send({"type": "websocket.close", "code": LATER})
        try:
            await self._connect(scope, receive, send, who)
        finally:
            self.strangers.let_go(address)

    async def _connect(self, scope: Scope, receive: Receive, send: Send, who: str) -> None:
        if config.get_option("server.trustedUserHeaders").get(HEADER) is None:
            log.error("server.trustedUserHeaders is not set, so nobody can be told from another: see app.py")
            await send({"type": "websocket.close", "code": POLICY})
            return
        closed = False

        async def receive_while_good() -> Message:
            nonlocal closed
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            refused = await _why_refused(message, who)
            if refused is None:
                return message
            closed = True
            if refused == POLICY:
                await send({"type": "websocket.send", "bytes": _load_anew()})
            await send({"type": "websocket.close", "code": refused})
            return {"type": "websocket.disconnect", "code": refused}

        async def send_while_open(message: Message) -> None:
            if not closed:
                await send(message)

        await self.app(scope, receive_while_good, send_while_open)


def nobody() -> str:
    """An identity that nobody else has, so that no session of a stranger is resumed by another."""
    return f"nobody:{secrets.token_hex(16)}"


async def _why_refused(message: Message, who: str) -> int | None:
    """The websocket code for a message that is not passed on; None for one that is."""
    if message.get("bytes") is None:
        return NO_TEXT
    if not _is_signed_in(who):
        return TOO_BIG if len(message["bytes"]) > MOST_BYTES else None
    return None if await to_thread.run_sync(_is_still, who) else POLICY


def _is_shut(path: str) -> bool:
    """What Streamlit offers to programs and nobody uses here: its figures, and driving a page without a
    browser."""
    rest = path.removeprefix(f"{cookie.base_path()}/_stcore/")
    return rest != path and (rest.rstrip("/") == "metrics" or rest.startswith("agent/"))


def _matters(scope: Scope) -> bool:
    return scope["type"] == "websocket" or any(
        scope["path"].startswith(f"{cookie.base_path()}/{part}/") for part in ("_stcore/upload_file", "media")
    )


def _who(connection: HTTPConnection) -> str:
    key = connection.cookies.get(cookie.name_for(connection))
    if not key:
        return nobody()
    key_hash = hash_of(key)
    if find_session(key_hash, utc_now()):
        return key_hash
    return f"{ENDED_BEFORE}{secrets.token_hex(16)}"


def _is_signed_in(who: str) -> bool:
    return ":" not in who


def _is_still(who: str) -> bool:
    return is_open(who, utc_now())


def _load_anew() -> bytes:
    """Streamlit's message that leads a browser elsewhere; to nowhere means to where it is."""
    told = ForwardMsg()
    told.auth_redirect.SetInParent()
    return bytes(told.SerializeToString())


def _may_fetch(scope: Scope, who: str) -> bool:
    """Downloads are for whoever is signed in, uploads for the session that stands in their address."""
    if scope["method"] == "OPTIONS":
        return True
    if not _is_signed_in(who):
        return False
    rest = scope["path"].removeprefix(f"{cookie.base_path()}/_stcore/upload_file/")
    if rest == scope["path"]:
        return True
    client = runtime.get_instance().get_client(rest.split("/")[0])
    context = client.client_context if client else None
    return context is not None and dict(context.headers).get(HEADER) == who


def _with_header(scope: Scope, who: str) -> list[tuple[bytes, bytes]]:
    name = HEADER.encode()
    others = [(key, value) for key, value in scope["headers"] if key.lower() != name]
    return [*others, (name, who.encode())]
