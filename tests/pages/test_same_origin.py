"""Which hosts another site's requests are told from."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.shell.same_origin import SameOrigin


async def taken(_request: object) -> Response:
    return Response("taken")


PANEL = Starlette(routes=[Route("/session", taken, methods=["POST"])], middleware=[Middleware(SameOrigin)])


def asked(host: str, origin: str) -> int:
    return TestClient(PANEL).post("/session", headers={"Host": host, "Origin": origin}).status_code


@pytest.mark.parametrize("name", ["rebound.example", "rebound.example:8501", "192.0.2.7"])
def test_a_name_that_was_led_here_is_not_believed_where_the_panels_address_is_known(restart, name):
    assert asked(name, f"http://{name}") == 200  # nobody has said what the panel is called
    restart(panel_url="https://otn.shop.vn")
    assert asked(name, f"http://{name}") == 403
    assert asked("otn.shop.vn", "https://otn.shop.vn") == 200
    assert asked("127.0.0.1:8501", "https://otn.shop.vn") == 200  # a proxy that does not pass Host on
    for here in ("localhost:8501", "127.0.0.1:8501", "[::1]:8501"):
        assert asked(here, f"http://{here}") == 200
        assert asked(here, f"http://{name}") == 403
