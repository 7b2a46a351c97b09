"""The pretend Messenger says where a page's picture is, and gives it."""

import requests

from tests.simulator.conftest import PAGE, Graph


def test_a_pages_picture_is_fetched_where_the_graph_api_says(remote: object, graph: Graph) -> None:
    status, said = graph.call("GET", f"{PAGE}/picture", redirect="0")
    assert (status, said["data"]["is_silhouette"]) == (200, False)
    fetched = requests.get(said["data"]["url"], timeout=20)
    assert (fetched.status_code, fetched.headers["content-type"]) == (200, "image/png")
    assert fetched.content.startswith(b"\x89PNG")


def test_nobody_is_told_without_a_token(remote: object, graph: Graph) -> None:
    assert graph.call("GET", f"{PAGE}/picture", with_token=False, redirect="0")[0] == 400
