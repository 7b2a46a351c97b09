"""The server in this process (TestClient) and as a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests import processes
from tests.inbox.platform import PAGE, body, signed
from webhook_server.application import create_app


@pytest.fixture
def fanpage(arrange) -> int:
    return arrange.fanpage(page_id=PAGE)


@pytest.fixture
def client(fresh_database) -> Iterator[TestClient]:
    with TestClient(create_app(), client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture
def post(client):
    """Posts events as the platform does; `raw` replaces the body, `headers` the signature."""

    def _post(*events, raw=None, headers=None, page_id=PAGE):
        content = body(*events, page_id=page_id) if raw is None else raw
        return client.post(
            "/webhook", content=content, headers=signed(content) if headers is None else headers
        )

    return _post


@pytest.fixture
def free_port() -> int:
    return processes.free_port()
