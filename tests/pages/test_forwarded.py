"""Whom a visitor's address is believed from: the proxies that are named, and nobody else."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.shell.forwarded import Forwarded
from tests.processes import process

VISITOR, PROXY, EDGE = "203.0.113.9", "10.0.0.7", "172.18.3.4"


async def seen(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.client.host} {request.url.scheme}")


def ask(peer: str, **headers: str) -> str:
    app = Forwarded(Starlette(routes=[Route("/", seen)]))
    named = {f"X-Forwarded-{name}": value for name, value in headers.items()}
    return TestClient(app, client=(peer, 50_000)).get("/", headers=named).text


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        (VISITOR, "", VISITOR),
        (VISITOR, "198.51.100.1", VISITOR),  # said by a visitor themselves
        (PROXY, VISITOR, VISITOR),
        (PROXY, f"198.51.100.1, {VISITOR}", VISITOR),  # the first was said by the visitor
        (PROXY, f"198.51.100.1, {VISITOR}, {EDGE}", VISITOR),
        (PROXY, f"{VISITOR}, 10.0.0.8", "10.0.0.8"),  # 10.0.0.8 is no proxy of ours
        (PROXY, "", PROXY),
        (PROXY, PROXY, PROXY),
        (VISITOR, PROXY, VISITOR),
        (PROXY, "2001:db8::7", "2001:db8::7"),
        (PROXY, f"{VISITOR}:51234", VISITOR),  # as some proxies write it, another port each time
        (PROXY, "[2001:db8::7]:51234", "2001:db8::7"),
        (PROXY, f"::ffff:{VISITOR}", VISITOR),
        (f"::ffff:{PROXY}", VISITOR, VISITOR),  # a socket for both kinds of addresses
        (f"::ffff:{VISITOR}", "198.51.100.1", VISITOR),
        (PROXY, "x" * 200, "x" * 64),
    ],
)
def test_the_visitor_is_the_last_that_is_no_proxy(fresh_database, restart, peer, forwarded, found):
    restart(trusted_proxies="10.0.0.7, 172.18.0.0/16")
    assert ask(peer, **({"For": forwarded} if forwarded else {})) == f"{found} http"


@pytest.mark.parametrize(
    ("peer", "said", "scheme"),
    [
        (PROXY, "https", "https"),
        (PROXY, "http", "http"),
        (PROXY, "http, https", "https"),
        (PROXY, "javascript", "http"),
        (VISITOR, "https", "http"),
    ],
)
def test_the_scheme_is_what_the_proxy_says(fresh_database, restart, peer, said, scheme):
    restart(trusted_proxies=PROXY)
    assert ask(peer, Proto=said).split()[1] == scheme


def test_the_panel_does_not_start_beside_another_list_of_proxies(tmp_path):
    log = tmp_path / "said.log"
    for list_, code in (("*", 1), ("", 0)):
        with process("-c", "import app", log=log, FORWARDED_ALLOW_IPS=list_) as started:
            assert started.wait(60) == code
    assert log.read_text().count("Name the proxies in OTN_TRUSTED_PROXIES") == 1
