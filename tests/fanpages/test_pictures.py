"""A fanpage's own picture: fetched once a day, kept small, missing without harm."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image

from core.encryption import encrypt
from core.fanpages import connection
from core.fanpages.pictures import FETCHED_EVERY, TRIED_AGAIN_AFTER, fetch_due_pictures, picture_of
from core.settings import settings
from tests.arrange import Arrange
from tests.messenger.graph import Graph, Handler, Reply, running_graph

PAGE_ID = "100000000000001"


def photo(colour: str) -> bytes:
    written = BytesIO()
    Image.new("RGB", (700, 700), colour).save(written, "JPEG")
    return written.getvalue()


class Facebook:
    """Says where the picture is, and gives it."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.file = graph, photo("teal")
        self.url, self.is_silhouette, self.status = f"{graph.url}/cdn/face.jpg?oe=1", False, 200
        graph.will(self._answer)

    def _answer(self, handler: Handler) -> None:
        if self.graph.seen[-1].path == "/cdn/face.jpg":
            handler.answer(Reply(self.status, self.file))
        else:
            about = {"url": self.url, "is_silhouette": self.is_silhouette, "width": 200, "height": 200}
            handler.answer(Reply(200, {"data": about}))


@pytest.fixture
def facebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Facebook]:
    with running_graph() as graph:
        monkeypatch.setenv("OTN_GRAPH_URL", graph.url)
        settings.cache_clear()
        connection.forget_connections()
        yield Facebook(graph)


@pytest.fixture
def fanpage(arrange: Arrange, facebook: Facebook) -> int:
    return arrange.fanpage(page_id=PAGE_ID, token_sealed=encrypt("EAABpagetoken1"))


def test_it_is_fetched_once_a_day_and_kept_small(facebook: Facebook, fanpage: int, now: datetime) -> None:
    assert picture_of(fanpage) == ""
    assert fetch_due_pictures(now=now) == 1
    first = picture_of(fanpage)
    assert first.startswith("data:image/jpeg;base64,")
    assert len(first) < 10_000
    facebook.file = photo("orange")
    assert fetch_due_pictures(now=now + FETCHED_EVERY - timedelta(seconds=1)) == 0
    assert fetch_due_pictures(now=now + FETCHED_EVERY) == 1
    assert picture_of(fanpage) not in ("", first)


def test_the_access_token_is_not_sent_to_where_the_picture_lies(
    facebook: Facebook, fanpage: int, now: datetime
) -> None:
    fetch_due_pictures(now=now)
    asked, fetched = facebook.graph.seen
    assert asked.query["redirect"] == "0"
    assert "EAABpagetoken1" not in f"{fetched.headers}{fetched.query}"


def test_a_fanpage_without_a_picture_has_its_letter(facebook: Facebook, fanpage: int, now: datetime) -> None:
    facebook.is_silhouette = True
    assert fetch_due_pictures(now=now) == 1
    assert picture_of(fanpage) == ""


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.com/a.jpg", "https://[x", ""])
def test_no_other_kind_of_address_is_followed(
    address: str, facebook: Facebook, fanpage: int, now: datetime
) -> None:
    facebook.url = address
    fetch_due_pictures(now=now)
    assert picture_of(fanpage) == ""


def test_what_is_no_picture_leaves_the_one_from_before(
    facebook: Facebook, fanpage: int, now: datetime
) -> None:
    fetch_due_pictures(now=now)
    kept, facebook.file = picture_of(fanpage), b"<html>"
    later = now + FETCHED_EVERY
    assert fetch_due_pictures(now=later) == 0
    facebook.file, facebook.status = photo("orange"), 404
    assert fetch_due_pictures(now=later + TRIED_AGAIN_AFTER) == 0
    assert picture_of(fanpage) == kept
    facebook.status = 200
    assert fetch_due_pictures(now=later + 2 * TRIED_AGAIN_AFTER) == 1
    assert picture_of(fanpage) != kept


def test_a_fanpage_without_a_working_token_keeps_no_other_waiting(
    facebook: Facebook, fanpage: int, arrange: Arrange, now: datetime
) -> None:
    arrange.fanpage(page_id="2", token_sealed="unreadable")
    arrange.fanpage(page_id="3", token_sealed=None)
    assert fetch_due_pictures(now=now) == 1
    assert picture_of(fanpage)
