"""Tells apart what a proxy of ours says of a visitor and what visitors say of themselves.

`X-Forwarded-For` and `X-Forwarded-Proto` are believed from the addresses of OTN_TRUSTED_PROXIES only.
"""

from __future__ import annotations

import sys

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import settings
from core.settings_sources import proxies_the_server_believes
from core.text.ip_addresses import plain_address


def refuse_other_list() -> None:
    """End the process when the server beneath us has a list of proxies of its own: it would believe them
    before we look. Without the variable it believes this machine alone."""
    if proxies_the_server_believes():
        sys.exit(
            "Error: FORWARDED_ALLOW_IPS is set. Name the proxies in OTN_TRUSTED_PROXIES instead, and take "
            "FORWARDED_ALLOW_IPS out of the settings of the panel."
        )


class Forwarded:
    """Gives every request the address and the scheme that the visitor really has."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            scope = _as_the_proxy_says(scope)
        await self.app(scope, receive, send)


def _as_the_proxy_says(scope: Scope) -> Scope:
    address, port = plain_address(scope["client"][0]), scope["client"][1]
    if not settings().is_trusted_proxy(address):
        return {**scope, "client": (address, port)}
    headers = Headers(scope=scope)
    passed = [each.strip() for line in headers.getlist("x-forwarded-for") for each in line.split(",")]
    # From the right: each proxy has added whom it heard it from. The first that is not ours is the visitor.
    strangers = (each for each in reversed(passed) if not settings().is_trusted_proxy(each))
    visitor = plain_address(next(strangers, address))
    said = headers.get("x-forwarded-proto", "").split(",")[-1].strip()
    secure = said == "https" or scope["scheme"] in ("https", "wss")
    plain, over_tls = ("http", "https") if scope["type"] == "http" else ("ws", "wss")
    return {**scope, "client": (visitor[:64], port), "scheme": over_tls if secure else plain}
