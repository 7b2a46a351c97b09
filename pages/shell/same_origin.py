"""Refuses what another site has a browser do here: `Origin` must name the host that was asked, and that must
be the one of OTN_PANEL_URL, where it is set, or this machine itself.

Streamlit compares them as well, and takes in `localhost` and the machine's own addresses on any port.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import settings

_HERE = {"localhost", "127.0.0.1", "[::1]"}
_READS = {"GET", "HEAD", "OPTIONS"}


class SameOrigin:
    """Looks at websockets and at every request that changes something."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope.get("method") in _READS or _is_own(scope):
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        return await Response("Another site asked for this.", status_code=403)(scope, receive, send)


def _is_own(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None:  # not a browser, or an old one; the cookie is asked for all the same
        return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return _host(origin) in _own_hosts(_host(f"//{headers.get('host', '')}")) - {""}


def _own_hosts(asked: str) -> set[str]:
    """Where the panel is known by one address, a name that somebody leads to this machine is not believed."""
    known = _host(settings().panel_url)
    is_here = re.sub(r":\d+$", "", asked) in _HERE
    return {known, asked} if is_here or not known else {known}


def _host(address: str) -> str:
    """The host and port of an address, without the ports that browsers leave out."""
    return re.sub(r":(80|443)$", "", urlsplit(address).netloc.lower())
