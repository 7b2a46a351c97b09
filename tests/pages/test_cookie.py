"""The route that turns a ticket into the cookie, without a browser."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit import config

from core.accounts.session_queries import find_session
from core.accounts.session_rules import SESSION_LIFETIME
from core.accounts.sessions import hash_of
from core.accounts.sign_in import complete_sign_in
from core.clock import utc_now
from pages.shell import server
from tests.pages.conftest import an_operator


@pytest.fixture
def client(arrange, restart):
    an_operator(arrange, "viewer", "lan")
    restart(trusted_proxies="10.0.0.7")
    return TestClient(
        Starlette(routes=server.ROUTES, middleware=server.MIDDLEWARE),
        base_url="http://panel",
        client=("10.0.0.7", 1234),
    )


def a_ticket() -> str:
    return complete_sign_in("lan", "10.0.0.1", now=utc_now())


def given(answer) -> tuple[str, str, str]:
    """Name, value, and what else a cookie says."""
    pair, _, rest = answer.headers["set-cookie"].partition(";")
    return (*pair.split("=", 1), rest.lower())


def test_the_cookie_is_for_the_server_only_and_ends_with_the_session(client):
    name, key, more = given(client.post("/session", content=a_ticket()))
    assert name.startswith("notify_once_")
    assert find_session(hash_of(key), utc_now()).operator.name == "lan"
    assert f"max-age={int(SESSION_LIFETIME.total_seconds())}" in more
    for word in ("httponly", "samesite=strict", "path=/"):
        assert word in more
    assert "secure" not in more


def test_behind_https_the_cookie_is_this_hosts_alone(client):
    answer = client.post("/session", content=a_ticket(), headers={"x-forwarded-proto": "https"})
    name, _key, more = given(answer)
    assert name.startswith("__Host-notify_once_")
    assert "secure" in more
    assert "domain" not in more
    cleared = client.delete("/session", headers={"x-forwarded-proto": "https"})
    assert given(cleared)[0] == name


def test_a_stranger_cannot_say_that_they_came_by_https(client, restart):
    restart(trusted_proxies="10.0.0.8")
    answer = client.post("/session", content=a_ticket(), headers={"x-forwarded-proto": "https"})
    assert given(answer)[0].startswith("notify_once_")


def test_two_installations_on_one_host_have_cookies_of_their_own(client, restart):
    first = given(client.post("/session", content=a_ticket()))[0]
    restart(secret_key="another-Key-4-tests-that-is-long-enough-9876543210")
    assert given(client.post("/session", content=a_ticket()))[0] != first


def test_a_ticket_is_good_once(client):
    ticket = a_ticket()
    assert client.post("/session", content=ticket).status_code == 204
    assert client.post("/session", content=ticket).status_code == 403


@pytest.mark.parametrize("body", [b"", b"x", b"\xff\xfe", b"a.b.c", b"x" * 100_000])
def test_anything_but_a_ticket_is_refused(client, body):
    answer = client.post("/session", content=body)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_cookie_is_cleared_by_our_own_pages_only(client):
    assert client.delete("/session", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert "max-age=0" in client.delete("/session").headers["set-cookie"].lower()


def test_under_a_path_the_route_is_there_and_nowhere_else(client):
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "otn/panel")
    try:
        assert client.post("/session", content=a_ticket()).status_code == 404
        assert client.post("/other/session", content=a_ticket()).status_code == 404
        assert client.post("/otn/panel/session", content=a_ticket()).status_code == 204
    finally:
        config.set_option("server.baseUrlPath", before)
