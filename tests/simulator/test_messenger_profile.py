"""The messenger profile of the pretend Messenger: what it takes, and what people do with it."""

from __future__ import annotations

import pytest

from core.simulator.control_client import NotPossibleForPerson
from tests.simulator.conftest import PAGE

EDGE = "me/messenger_profile"
PRICES = {"type": "postback", "title": "Xem giá", "payload": "menu:1"}
SHOP = {"type": "web_url", "title": "Cửa hàng", "url": "https://maihoa.example"}
MENU = {"locale": "default", "call_to_actions": [PRICES, SHOP]}
ASKED = {"question": "Giá bao nhiêu?", "payload": "ice_breaker:1"}


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"persistent_menu": [MENU]}, True),
        ({"persistent_menu": []}, False),
        ({"persistent_menu": [{**MENU, "locale": "vi_VN"}]}, False),  # nothing for everybody
        ({"persistent_menu": [MENU, MENU]}, False),  # a language twice
        ({"persistent_menu": [MENU, {**MENU, "locale": "en_US"}]}, True),
        (
            {"persistent_menu": [{"locale": "default", "call_to_actions": [{**PRICES, "type": "nested"}]}]},
            False,
        ),
        (
            {"persistent_menu": [{"locale": "default", "call_to_actions": [{**PRICES, "title": "x" * 31}]}]},
            False,
        ),
        ({"persistent_menu": [{"locale": "default", "call_to_actions": [PRICES] * 21}]}, False),
        ({"persistent_menu": [{"locale": "default", "call_to_actions": [{**SHOP, "url": "maihoa"}]}]}, False),
        ({"greeting": [{"locale": "default", "text": "Chào {{user_first_name}}!"}]}, True),
        ({"greeting": [{"locale": "default", "text": "x" * 161}]}, False),
        ({"ice_breakers": [{"locale": "default", "call_to_actions": [ASKED]}]}, True),
        ({"ice_breakers": [{"locale": "default", "call_to_actions": [ASKED] * 5}]}, False),
        ({"ice_breakers": [ASKED]}, True),  # the old form
        ({"ice_breakers": [ASKED, {"locale": "default", "call_to_actions": [ASKED]}]}, False),
        ({"gossip": []}, False),
    ],
)
def test_a_profile_is_taken_or_refused_whole(remote, graph, given: dict, taken: bool) -> None:
    status, body = graph.call("POST", EDGE, **given)
    assert (status == 200) is taken, body
    live = graph.call("GET", EDGE, fields="persistent_menu,greeting,ice_breakers")[1]["data"]
    assert (live == [given]) is taken


def test_get_started_stays_as_long_as_there_is_a_menu(remote, graph) -> None:
    graph.call("POST", EDGE, persistent_menu=[MENU])
    assert graph.call("DELETE", EDGE, fields=["get_started"])[0] == 400
    assert graph.call("DELETE", EDGE, fields=["persistent_menu", "get_started"])[0] == 200
    assert graph.call("GET", EDGE, fields="get_started")[1] == {"data": []}
    assert graph.call("DELETE", EDGE, fields=["gossip"])[0] == 400


def test_an_item_of_the_menu_is_a_postback(remote, graph, receiver, lan) -> None:
    graph.call("POST", EDGE, persistent_menu=[MENU])
    assert remote.act(lan, "menu", title="Xem giá")["mid"]
    assert remote.act(lan, "menu", title="Cửa hàng") == {}  # a web page causes no event
    remote.webhooks_delivered(PAGE)
    assert receiver.kind("postback")[-1]["postback"] | {"mid": "m"} == {
        "mid": "m",
        "title": "Xem giá",
        "payload": "menu:1",
    }


def test_people_see_the_menu_of_their_language(remote, graph, lan) -> None:
    english = {"locale": "en_US", "call_to_actions": [{**PRICES, "title": "Prices"}]}
    graph.call("POST", EDGE, persistent_menu=[MENU, english])
    remote.change_person(lan, locale="en_US")
    assert remote.act(lan, "menu", title="Prices")["mid"]
    with pytest.raises(NotPossibleForPerson):
        remote.act(lan, "menu", title="Xem giá")


def test_the_questions_of_a_new_thread_stand_in_place_of_get_started(remote, graph, receiver) -> None:
    graph.call("POST", EDGE, ice_breakers=[{"locale": "default", "call_to_actions": [ASKED]}])
    psid = remote.add_people(PAGE, [{"first_name": "Hà"}])[0]["psid"]
    with pytest.raises(NotPossibleForPerson):
        remote.act(psid, "menu", title="Xem giá")
    with pytest.raises(NotPossibleForPerson):
        remote.act(psid, "get_started")
    assert remote.act(psid, "ice_breaker", question="Giá bao nhiêu?")["mid"]
    with pytest.raises(NotPossibleForPerson):
        remote.act(psid, "ice_breaker", question="Giá bao nhiêu?")
    remote.webhooks_delivered(PAGE)
    assert receiver.kind("postback")[-1]["postback"]["payload"] == "ice_breaker:1"
