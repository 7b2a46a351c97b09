"""The sign-in cookie, set and cleared by the server so that no script can read it.

The panel talks over a websocket, which cannot set cookies: after a sign-in the browser trades a ticket
(30 seconds) for the cookie at `POST /session`; `DELETE /session` clears it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import jwt
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.accounts.rules import SESSION_LIFETIME
from core.encryption import derived_key

NAME = "notify_once_session"
TICKET_SECONDS = 30
TICKET_BYTES = 4096
LIFETIME_SECONDS = int(SESSION_LIFETIME.total_seconds())
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"content-security-policy", b"frame-ancestors 'self'; object-src 'none'; base-uri 'self'"),
)


def signing_key() -> str:
    """With what cookies are signed; it follows from the installation's secret key."""
    return derived_key("sign-in cookie").hex()


def token_of(name: str, signed_in_at: datetime) -> str:
    """What the cookie holds: the form that streamlit-authenticator writes and reads."""
    claims = {"username": name, "exp_date": (signed_in_at + SESSION_LIFETIME).timestamp()}
    return jwt.encode(claims, signing_key(), algorithm="HS256")


def signed_in_at(exp_date: float) -> datetime:
    """When the sign-in was that a cookie speaks of."""
    return datetime.fromtimestamp(exp_date, UTC) - SESSION_LIFETIME


def ticket_of(token: str) -> str:
    """A signed ticket for this cookie, good for TICKET_SECONDS."""
    claims = {"token": token, "exp": int(time.time()) + TICKET_SECONDS}
    return jwt.encode(claims, derived_key("sign-in ticket"), algorithm="HS256")


async def _keep(request: Request) -> Response:
    try:
        ticket = await _short_body(request)
        token = jwt.decode(ticket, derived_key("sign-in ticket"), algorithms=["HS256"])["token"]
    except (jwt.InvalidTokenError, KeyError):
        return Response(status_code=403)
    response = Response(status_code=204)
    response.set_cookie(
        NAME, token, max_age=LIFETIME_SECONDS, httponly=True, samesite="strict", secure=_is_https(request)
    )
    return response


async def _short_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > TICKET_BYTES:
            return b""
    return body


async def _clear(request: Request) -> Response:
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return Response(status_code=403)
    response = Response(status_code=204)
    response.delete_cookie(NAME, httponly=True, samesite="strict", secure=_is_https(request))
    return response


def _is_https(request: Request) -> bool:
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return "https" in (request.url.scheme, forwarded)


class SecurityHeaders:
    """Says on every answer who may frame it and that its type is what it claims."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = dict(_HEADERS)
                others = [(k, v) for k, v in message.get("headers", []) if k.lower() not in ours]
                message["headers"] = [*others, *_HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


ROUTES = [
    Route("/session", _keep, methods=["POST"]),
    Route("/session", _clear, methods=["DELETE"]),
]
MIDDLEWARE = [Middleware(SecurityHeaders)]
