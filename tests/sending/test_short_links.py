"""A message leaves with short links of ours, and whoever follows one is led on and counted once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.db.tables import Reply
from core.messenger import wire
from tests.databases import TestDatabase
from tests.sending.conftest import Studio
from webhook_server.application import create_app

OURS = "https://otn.shop.vn"
SHOP = "https://hoatuoi.vn/tet?ma=A1&b=2"
PHONE = {"user-agent": "Mozilla/5.0 (iPhone) Mobile/15E148 [FBAN/MessengerForiOS]"}
ROBOT = {"user-agent": "facebookexternalhit/1.1"}
CODE = re.compile(rf"{OURS}(/l/[\w-]{{22}}(?:/[\w.]*\w)?)(?=[\s.]|$)")
TEXT = {"kind": "text", "text": f"Chào {{{{first_name|bạn}}}}, xem {SHOP}. Hoặc https://b.vn/"}
BUTTONS = {"kind": "buttons", "text": "Hàng về!", "buttons": [{"title": "Xem", "url": SHOP}]}


@pytest.fixture
def server(fresh_database: TestDatabase) -> Iterator[TestClient]:
    with TestClient(create_app(), follow_redirects=False) as client:
        yield client


def broadcast(studio: Studio, content: dict, people: int = 2) -> list[str]:
    """Sent to so many people: the texts as they left, in the order of their deliveries."""
    studio.platform.link_address = OURS
    studio.people(people)
    made = actions.create_broadcast(COMMAND_LINE, topic_id=studio.topic_id, content=content, now=studio.now)
    studio.launch(made)
    studio.loop().drain()
    return [text for _token, text in sorted(studio.platform.texts)]


def paths(text: str) -> list[str]:
    return CODE.findall(text)


def followed(server: TestClient, path: str, headers: dict[str, str] = PHONE) -> str:
    """Where a tap leads; all clicks are counted when the server has closed."""
    answer = server.get(path, headers=headers)
    assert answer.status_code == 302
    return answer.headers["location"]


def clicks(database: TestDatabase, table: str = "delivery") -> list[tuple]:
    return database.rows(
        f"SELECT clicked_at IS NOT NULL, clicked_links, read_at IS NOT NULL FROM {table} ORDER BY id"
    )


def test_each_customer_gets_links_of_their_own_that_lead_to_what_was_written(
    studio: Studio, server: TestClient
) -> None:
    first, second = broadcast(studio, TEXT)
    assert [followed(server, path) for path in paths(first)] == [SHOP, "https://b.vn/"]
    assert not set(paths(first)) & set(paths(second))
    assert SHOP not in first
    assert first.startswith("Chào Lan, xem ")


def test_a_customer_reads_where_a_link_leads(studio: Studio) -> None:
    (text,) = broadcast(studio, TEXT, people=1)
    assert [path.rsplit("/", 1)[1] for path in paths(text)] == ["hoatuoi.vn", "b.vn"]


def test_many_clicks_of_one_person_count_once_and_show_that_it_was_read(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, _second = broadcast(studio, TEXT)
    with TestClient(create_app(), follow_redirects=False) as server:
        for path in [paths(first)[1]] * 3:
            followed(server, path)
    assert clicks(fresh_database) == [(1, 2, 1), (0, None, 0)]
    with TestClient(create_app(), follow_redirects=False) as server:
        followed(server, paths(first)[0])
    assert clicks(fresh_database)[0] == (1, 3, 1)


def test_previews_are_led_on_and_not_counted(studio: Studio, fresh_database: TestDatabase) -> None:
    (text,) = broadcast(studio, TEXT, people=1)
    with TestClient(create_app(), follow_redirects=False) as server:
        assert followed(server, paths(text)[0], ROBOT) == SHOP
        assert server.head(paths(text)[0], headers=PHONE).status_code == 302
    assert clicks(fresh_database) == [(0, None, 0)]


def test_without_a_public_address_links_go_out_as_they_were_written(studio: Studio) -> None:
    studio.people(1)
    made = actions.create_broadcast(COMMAND_LINE, topic_id=studio.topic_id, content=TEXT, now=studio.now)
    studio.launch(made)
    studio.loop().drain()
    assert studio.platform.texts[0][1] == f"Chào Lan, xem {SHOP}. Hoặc https://b.vn/"


def test_a_button_leads_by_way_of_us(
    studio: Studio, server: TestClient, fresh_database: TestDatabase
) -> None:
    sent: list[dict] = []
    studio.platform.by_psid = lambda body: sent.append(body)  # type: ignore[func-returns-value]
    studio.platform.link_address = OURS
    closes_at = studio.now + timedelta(hours=20)
    customer_id = studio.arrange.customer(studio.fanpage_id, window_closes_at=closes_at)
    body = wire.buttons("Hàng về!", [wire.Button("Xem", url=SHOP), wire.Button("Dừng", payload="x")])
    reply = Reply(fanpage_id=studio.fanpage_id, customer_id=customer_id, body=body, created_at=studio.now)
    studio.arrange.save(reply)
    studio.loop().drain()
    (button, other) = sent[0]["message"]["attachment"]["payload"]["buttons"]
    assert button["url"].startswith(f"{OURS}/l/")
    assert other == {"type": "postback", "title": "Dừng", "payload": "x"}
    path = button["url"].removeprefix(OURS)
    with TestClient(create_app(), follow_redirects=False) as another:
        assert followed(another, path) == SHOP
    assert clicks(fresh_database, "reply") == [(1, 1, 1)]


@pytest.mark.parametrize(
    "path",
    [
        "/l/",
        "/l/x",
        "/l/AAAAAAAAAAAAAAAAAAAAAA",
        "/l/https%3A%2F%2Fevil.vn",
        "/l/x?to=https://evil.vn",
        "/l/é",
    ],
)
def test_what_we_did_not_write_leads_nowhere(server: TestClient, path: str) -> None:
    answer = server.get(path, headers=PHONE)
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_a_link_whose_message_is_gone_says_so_in_the_customers_language(
    studio: Studio, server: TestClient, fresh_database: TestDatabase
) -> None:
    from core.clicks.codes import LinkId, Sent, code_of

    path = f"/l/{code_of(LinkId(Sent.REPLY, 4711, 0))}"
    english = server.get(path, headers={**PHONE, "accept-language": "en-US,en;q=0.9"})
    assert english.status_code == 404
    assert english.text.index("no longer works") < english.text.index("không còn")
    vietnamese = server.get(path, headers=PHONE)
    assert vietnamese.text.index("không còn") < vietnamese.text.index("no longer works")


def test_a_second_attempt_after_doubt_is_the_same_message(studio: Studio) -> None:
    studio.platform.fault = lambda _token, nth: "lost" if nth == 1 else None
    broadcast(studio, BUTTONS, people=1)
    seen: list[str] = []
    keep = studio.platform.send
    studio.platform.send = lambda body: (seen.append(str(body)), keep(body))[1]  # type: ignore[method-assign]
    studio.send_all()
    assert len(seen) >= 1
    assert len({re.sub(r"'metadata': '[^']*'", "", each) for each in seen}) == 1
