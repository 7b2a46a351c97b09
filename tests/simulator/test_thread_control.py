"""Another app in the conversation, policy events, and the parts of messages that Graph takes as well."""

from __future__ import annotations

import json

import pytest

from core.simulator.control_client import NotPossibleForPerson, SimulatorClient
from tests.simulator.conftest import ALL_FIELDS, PAGE, Graph, Receiver

URL = "https://shop.example/x"
PHONE = {"type": "phone_number", "title": "Gọi shop", "payload": "+84901234567"}
CARD = {"title": "Hoa hồng", "subtitle": "Đỏ", "buttons": [PHONE]}
MEDIA = {"media_type": "image", "attachment_id": "1"}


@pytest.fixture
def subscribed(remote: SimulatorClient) -> None:
    fields = [*ALL_FIELDS, "standby", "messaging_handovers", "messaging_policy_enforcement"]
    remote.save_page(PAGE, subscribed_fields=fields)


def lists(receiver: Receiver, name: str) -> list[dict]:
    entries = [entry for body in receiver.bodies for entry in json.loads(body)["entry"]]
    return [event for entry in entries for event in entry.get(name, [])]


def template(kind: str, **payload: object) -> dict:
    return {"attachment": {"type": "template", "payload": {"template_type": kind, **payload}}}


def test_what_another_app_holds_is_told_in_standby_and_cannot_be_written_to(
    remote, graph, receiver, lan, subscribed
):
    token = remote.issue_tokens(PAGE, psids=[lan])[0]["token"]
    remote.act(lan, "other_app_takes")
    remote.say(lan, "Có ai không?")
    assert graph.refused({"id": lan}) == (10, 2018300)
    assert graph.refused({"one_time_notif_token": token}) == (10, 2018300)
    remote.act(lan, "other_app_passes")
    remote.say(lan, "Cảm ơn")
    remote.webhooks_delivered(PAGE)

    assert [event["message"]["text"] for event in lists(receiver, "standby")] == ["Có ai không?"]
    assert receiver.kind("message")[-1]["message"]["text"] == "Cảm ơn"
    assert [len(receiver.kind(key)) for key in ("take_thread_control", "pass_thread_control")] == [1, 1]
    assert graph.send({"id": lan}, {"text": "Vâng"})[0] == 200
    assert graph.send({"one_time_notif_token": token})[0] == 200


def test_a_postback_in_standby_comes_without_its_payload(remote, graph, receiver, lan, subscribed):
    button = {"type": "postback", "title": "Xem", "payload": "message:1"}
    mid = graph.send({"id": lan}, template("button", text="Hoa", buttons=[button]))[1]["message_id"]
    remote.act(lan, "other_app_takes")
    remote.act(lan, "tap", mid=mid, title="Xem")
    remote.webhooks_delivered(PAGE)

    (postback,) = [event["postback"] for event in lists(receiver, "standby") if "postback" in event]
    assert postback["title"] == "Xem"
    assert "payload" not in postback


def test_our_app_passes_a_conversation_and_takes_it_back(graph: Graph, lan):
    who = {"recipient": {"id": lan}}
    assert graph.call("GET", f"{PAGE}/thread_owner", recipient=json.dumps({"id": lan}))[1]["data"]
    assert graph.call("POST", "me/pass_thread_control", **who, target_app_id="263902037430900")[0] == 200
    assert graph.refused({"id": lan}) == (10, 2018300)
    assert graph.call("POST", "me/request_thread_control", **who)[0] == 200
    assert graph.call("POST", "me/take_thread_control", **who)[0] == 200
    assert graph.send({"id": lan}, {"text": "Chào"})[0] == 200


@pytest.mark.parametrize("old_spelling", [False, True])
def test_policy_events_come_in_either_spelling(remote, receiver, subscribed, old_spelling):
    remote.policy(PAGE, "block", "spam", old_spelling=old_spelling)
    remote.webhooks_delivered(PAGE)

    key = "policy-enforcement" if old_spelling else "policy_enforcement"
    assert receiver.kind(key)[-1][key] == {"action": "block", "reason": "spam"}


def test_the_page_itself_reacts(remote, receiver, lan, subscribed):
    mid = remote.say(lan, "Đẹp quá")["mid"]
    remote.act(lan, "page_reacts", mid=mid, emoji="❤")
    remote.webhooks_delivered(PAGE)

    (reaction,) = receiver.kind("reaction")
    assert (reaction["sender"]["id"], reaction["recipient"]["id"]) == (PAGE, lan)


@pytest.mark.parametrize(
    "message",
    [
        template("button", text="Hỏi thêm?", buttons=[PHONE]),
        template("generic", elements=[CARD, CARD]),
        template("media", elements=[{**MEDIA, "buttons": [PHONE]}]),
        template(
            "media", elements=[{"media_type": "video", "url": "https://www.facebook.com/shop/videos/1"}]
        ),
        {"text": "Số của bạn?", "quick_replies": [{"content_type": "user_phone_number"}]},
        {"text": "E-mail?", "quick_replies": [{"content_type": "user_email"}]},
    ],
)
def test_what_graph_takes_is_taken(graph, lan, message):
    assert graph.send({"id": lan}, message)[0] == 200


@pytest.mark.parametrize(
    "message",
    [
        template("button", text="Hỏi thêm?", buttons=[{**PHONE, "payload": "0901 234 567"}]),
        template("button", text="Hỏi thêm?", buttons=[{"type": "phone_number", "title": "Gọi"}]),
        template("media", elements=[MEDIA, MEDIA]),
        template("media", elements=[{"media_type": "image", "attachment_id": "1", "url": URL}]),
        template("media", elements=[{"media_type": "audio", "attachment_id": "1"}]),
        {"text": "?", "quick_replies": [{"content_type": "location"}]},
    ],
)
def test_what_graph_does_not_take_is_refused(graph, lan, message):
    assert graph.send({"id": lan}, message)[0] == 400


def test_a_colleague_answers_from_the_inbox_with_an_echo_that_is_not_ours(remote, receiver, lan, subscribed):
    remote.say(lan, "Có ai không?")
    remote.act(lan, "colleague", text="Dạ shop đây ạ")
    remote.webhooks_delivered(PAGE)

    (echo,) = receiver.kind("message")[-1:]
    assert echo["message"]["is_echo"]
    assert echo["message"]["app_id"] == 263902037430900
    assert "metadata" not in echo["message"]
    assert remote.thread(lan)["bubbles"][-1]["from"] == "page"


def test_a_colleague_writes_to_nobody_outside_the_window_or_without_words(remote, lan):
    remote.say(lan, "Có ai không?")
    with pytest.raises(NotPossibleForPerson):
        remote.act(lan, "colleague", text="  ")
    remote.go_ahead(25 * 3600)
    with pytest.raises(NotPossibleForPerson):
        remote.act(lan, "colleague", text="Dạ")
