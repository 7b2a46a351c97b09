"""The session's cookie, set and cleared by the server so that no script can read it.

The panel talks over a websocket, which cannot set cookies: after a sign-in the browser trades its ticket for
the cookie at `POST /session`; `DELETE /session` clears it.
"""

from __future__ import annotations

from anyio import to_thread
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit import config

from core.accounts import sessions
from core.accounts.session_rules import SESSION_LIFETIME
from core.clock import utc_now
from core.encryption import derived_key

TICKET_BYTES = 200
LIFETIME_SECONDS = int(SESSION_LIFETIME.total_seconds())


def base_path() -> str:
    """What stands before every address of the panel (`server.baseUrlPath`): "" or "/panel"."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def name_for(connection: HTTPConnection) -> str:
    """The cookie's name: of this installation, since two on one host share their cookies; behind https with
    the prefix for which a browser takes it from this host alone, over https."""
    name = f"notify_once_{derived_key('cookie name', size=4).hex()}"
    return f"__Host-{name}" if is_https(connection) else name


def is_https(connection: HTTPConnection) -> bool:
    """Whether the visitor came by https, as forwarded.py has found."""
    return connection.scope["scheme"] in ("https", "wss")


async def _keep(request: Request) -> Response:
    if not _is_here(request):
        return Response(status_code=404)
    ticket = await _short_body(request)
    key = await to_thread.run_sync(lambda: sessions.trade_ticket(ticket, now=utc_now())) if ticket else None
    if key is None:
        return Response(status_code=403)
    response = Response(status_code=204)
    give(request, response, key)
    return response


def give(request: Request, response: Response, key: str) -> None:
    """Have the browser keep the key of its session."""
    response.set_cookie(
        name_for(request),
        key,
        max_age=LIFETIME_SECONDS,
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_https(request),
    )


async def _short_body(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > TICKET_BYTES:
            return ""
    return body.decode("ascii", "replace")


async def _clear(request: Request) -> Response:
    if not _is_here(request):
        return Response(status_code=404)
    response = Response(status_code=204)
    response.delete_cookie(
        name_for(request), path="/", httponly=True, samesite="strict", secure=is_https(request)
    )
    return response


def _is_here(request: Request) -> bool:
    return request.url.path == f"{base_path()}/session"


ROUTES = [
    Route(path, endpoint, methods=[method])
    for path in ("/session", "/{base:path}/session")
    for endpoint, method in ((_keep, "POST"), (_clear, "DELETE"))
]
