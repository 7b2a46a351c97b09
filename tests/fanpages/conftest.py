from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.fanpages import connection
from core.settings import settings
from tests.messenger.graph import Graph, Handler, Reply, running_graph

PAGE_ID = "100000000000001"
TOKEN = "EAABpagetoken1"


@dataclass
class PretendPage:
    """Answers the edges a connection asks for; `refuses` maps a path's end to the error it gets."""

    graph: Graph
    page_id: str = PAGE_ID
    name: str = "Tiệm Hoa Mai"
    fields: list[str] | None = None
    get_started: str | None = None
    reviews: list[dict[str, str]] = field(default_factory=list)
    refuses: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph.will(self._answer)

    def _answer(self, handler: Handler) -> None:
        seen = self.graph.seen[-1]
        edge = seen.path.removeprefix("/v26.0/")
        refusal = next((codes for end, codes in self.refuses.items() if edge.endswith(end)), None)
        if refusal:
            status, code = refusal
            handler.answer(Reply(status, {"error": {"code": code, "message": "no"}}))
        else:
            handler.answer(Reply(200, self._at(seen.method, edge, seen)))

    def _at(self, method: str, edge: str, seen: Any) -> dict[str, Any]:
        if edge.endswith("subscribed_apps"):
            if method == "POST":
                self.fields = seen.query["subscribed_fields"].split(",")
                return {"success": True}
            return {"data": [] if self.fields is None else [{"id": "7", "subscribed_fields": self.fields}]}
        if edge.endswith("messenger_profile"):
            if method == "POST":
                self.get_started = seen.json()["get_started"]["payload"]
                return {"result": "success"}
            return {"data": [{"get_started": {"payload": self.get_started}}] if self.get_started else []}
        if edge.endswith("messaging_feature_review"):
            return {"data": self.reviews}
        return {"id": self.page_id, "name": self.name}

    @property
    def calls(self) -> list[str]:
        return [f"{seen.method} {seen.path.removeprefix('/v26.0/')}" for seen in self.graph.seen]


@pytest.fixture
def page(fresh_database, monkeypatch) -> Iterator[PretendPage]:
    with running_graph() as graph:
        monkeypatch.setenv("OTN_GRAPH_URL", graph.url)
        settings.cache_clear()
        yield PretendPage(graph)
    connection.forget_connections()
