"""What the browser may load, as every answer of the panel says."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.shell.security_headers import SecurityHeaders


def test_pictures_may_stand_anywhere_and_all_else_behind_https():
    said = TestClient(SecurityHeaders(Starlette())).get("/").headers["content-security-policy"]
    sources = dict(each.split(" ", 1) for each in said.split("; "))
    assert {"http:", "https:"} <= set(sources["img-src"].split())
    assert [name for name, from_where in sources.items() if "http:" in from_where.split()] == ["img-src"]
