from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.messenger.client import Messenger
from tests.messenger.graph import Graph, running_graph

PAGE_ID = "100000000000001"
TOKEN = "EAAB/page+token=1"
APP_SECRET = "0123456789abcdef-app-secret"


@pytest.fixture
def graph() -> Iterator[Graph]:
    with running_graph() as started:
        yield started


@pytest.fixture
def connect(graph: Graph) -> Iterator[Callable[..., Messenger]]:
    made: list[Messenger] = []

    def _connect(**more: object) -> Messenger:
        settings = {"base_url": graph.url, "version": "v26.0", "read_timeout": 5.0, **more}
        made.append(Messenger(PAGE_ID, TOKEN, **settings))
        return made[-1]

    yield _connect
    for messenger in made:
        messenger.close()


@pytest.fixture
def messenger(connect: Callable[..., Messenger]) -> Messenger:
    return connect()
