"""The route that turns a ticket into the cookie, without a browser."""

from datetime import timedelta

import jwt
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.accounts.rules import SESSION_LIFETIME
from core.clock import utc_now
from core.encryption import derived_key
from pages.shell import cookie


@pytest.fixture
def client(fresh_database):
    return TestClient(Starlette(routes=cookie.ROUTES, middleware=cookie.MIDDLEWARE), base_url="http://panel")


def a_ticket() -> str:
    return cookie.ticket_of(cookie.token_of("lan", utc_now()))


def test_the_moment_of_the_sign_in_survives_the_round_trip(fresh_database):
    at = utc_now()
    claims = jwt.decode(cookie.token_of("lan", at), cookie.signing_key(), algorithms=["HS256"])
    assert claims["username"] == "lan"
    assert abs(cookie.signed_in_at(claims["exp_date"]) - at) < timedelta(milliseconds=1)


def test_the_cookie_is_for_the_server_only_and_ends_with_the_session(client):
    header = client.post("/session", content=a_ticket()).headers["set-cookie"].lower()
    assert f"max-age={int(SESSION_LIFETIME.total_seconds())}" in header
    assert "httponly" in header
    assert "samesite=strict" in header
    assert "secure" not in header


@pytest.mark.parametrize("forwarded", ["https", "https, http"])
def test_the_cookie_is_secure_behind_https(client, forwarded):
    answer = client.post("/session", content=a_ticket(), headers={"x-forwarded-proto": forwarded})
    assert "secure" in answer.headers["set-cookie"].lower()


def test_an_old_ticket_is_refused(client):
    old = jwt.encode({"token": "t", "exp": 1_000_000}, derived_key("sign-in ticket"), algorithm="HS256")
    assert client.post("/session", content=old).status_code == 403


@pytest.mark.parametrize("body", [b"", b"x", b"\xff\xfe", b"a.b.c", b"x" * 100_000])
def test_anything_but_a_ticket_is_refused(client, body):
    answer = client.post("/session", content=body)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_ticket_of_another_key_or_purpose_is_refused(client):
    for key in ("another-key-that-is-long-enough-for-hs256", cookie.signing_key()):
        forged = jwt.encode({"token": "t", "exp": 9_999_999_999}, key, algorithm="HS256")
        assert client.post("/session", content=forged).status_code == 403


def test_the_cookie_is_cleared_by_our_own_pages_only(client):
    assert client.delete("/session", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert "max-age=0" in client.delete("/session").headers["set-cookie"].lower()
