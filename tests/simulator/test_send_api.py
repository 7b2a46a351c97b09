"""The strictness the product is tested against: if these soften, every other test proves less."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.messenger.signature import appsecret_proof
from core.simulator.control_client import SimulatorClient
from tests.simulator.conftest import PAGE, REQUEST, SECRET, TOKEN, Graph

DAY = 24 * 3600


def token_of(remote: SimulatorClient, psid: str) -> str:
    return remote.issue_tokens(PAGE, psids=[psid])[0]["token"]


def by_token(token: str) -> dict[str, str]:
    return {"one_time_notif_token": token}


def test_a_message_inside_the_window_is_taken_and_lands_in_the_thread(remote, graph, lan):
    status, body = graph.send({"id": lan}, {"text": "Xin chào"}, messaging_type="RESPONSE")
    assert status == 200
    assert body["recipient_id"] == lan
    assert remote.thread(lan)["bubbles"][-1]["mid"] == body["message_id"]


def test_outside_the_window_a_plain_message_is_refused_and_a_token_still_goes_through(remote, graph, lan):
    token = token_of(remote, lan)
    remote.go_ahead(DAY + 1)
    assert graph.refused({"id": lan}) == (10, 2018278)
    assert graph.refused({"id": lan}, REQUEST) == (10, 2018278)
    assert graph.send(by_token(token))[0] == 200


def test_a_stranger_who_never_wrote_has_no_window(remote, graph):
    stranger = remote.add_people(PAGE, [{"first_name": "Huy"}])[0]["psid"]
    assert graph.refused({"id": stranger}) == (10, 2018278)


def test_a_token_is_good_for_exactly_one_message(remote, graph, lan):
    token = token_of(remote, lan)
    assert graph.send(by_token(token))[0] == 200
    assert graph.refused(by_token(token)) == (100, None)
    assert remote.books(PAGE, short=True)["accepted_by_token"] == 1


def test_a_token_used_from_many_threads_at_once_is_taken_once(remote, graph, lan):
    token = token_of(remote, lan)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: Graph(graph.base_url).send(by_token(token))[0], range(16)))
    assert sorted(statuses) == [200] + [400] * 15


def test_a_token_is_worth_nothing_after_a_year(remote, graph, lan):
    token = token_of(remote, lan)
    remote.go_ahead(365 * DAY - 60)
    young = token_of(remote, lan)
    remote.go_ahead(61)
    assert graph.refused(by_token(token)) == (100, None)
    assert graph.send(by_token(young))[0] == 200


def test_another_pages_token_is_refused_and_stays_unused(remote, graph, lan):
    remote.save_page("200000000000002", name="Quán Cà Phê", token="token-of-the-cafe")
    token = token_of(remote, lan)
    assert Graph(graph.base_url, "token-of-the-cafe").refused(by_token(token)) == (100, None)
    assert graph.send(by_token(token))[0] == 200


def test_a_blocked_page_reaches_nobody_and_the_token_survives(remote, graph, lan):
    token = token_of(remote, lan)
    remote.change_person(lan, blocked=True)
    assert graph.refused({"id": lan}) == (551, 1545041)
    assert graph.refused(by_token(token)) == (551, 1545041)
    remote.change_person(lan, blocked=False)
    assert graph.send(by_token(token))[0] == 200


def test_a_page_without_the_feature_cannot_ask(remote, graph, lan):
    remote.save_page(PAGE, otn=False)
    assert graph.refused({"id": lan}, REQUEST) == (10, None)
    assert graph.send({"id": lan})[0] == 200


@pytest.mark.parametrize(
    "recipient",
    [{}, {"id": "1", "one_time_notif_token": "x"}, {"id": ""}, {"name": "Lan"}, "Lan", ["id"], None],
)
def test_a_recipient_is_exactly_one_person(remote, graph, lan, recipient):
    assert graph.refused(recipient)[0] == 100


def test_unknown_people_and_people_of_other_pages_are_not_found(remote, graph, lan):
    remote.save_page("200000000000002", name="Quán Cà Phê", token="token-of-the-cafe")
    assert graph.refused({"id": "123"}) == (100, 2018001)
    assert Graph(graph.base_url, "token-of-the-cafe").refused({"id": lan}) == (100, 2018001)


def button(title: str = "Xem", **more: object) -> dict[str, object]:
    return {"type": "postback", "title": title, "payload": "message:1", **more}


def template(**payload: object) -> dict[str, object]:
    return {"attachment": {"type": "template", "payload": payload}}


def quick_replies(count: int) -> dict[str, object]:
    reply = {"content_type": "text", "title": "Có", "payload": "message:1"}
    return {"text": "Bạn thích hoa gì?", "quick_replies": [reply] * count}


@pytest.mark.parametrize(
    "message",
    [
        {"text": "a" * 1999},
        quick_replies(13),
        {"attachment": {"type": "image", "payload": {"url": "https://example.com/hoa.jpg"}}},
        template(template_type="button", text="a" * 640, buttons=[button("a" * 20)] * 3),
        template(template_type="one_time_notif_req", title="a" * 65, payload="otn.1"),
        template(template_type="generic", elements=[{"title": "Hoa hồng", "buttons": [button()]}] * 10),
    ],
)
def test_the_largest_allowed_messages_are_taken(graph, lan, message):
    assert graph.send({"id": lan}, message)[0] == 200


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"text": ""},
        {"text": "a" * 2000},
        {"text": "🌸" * 1000},  # 2000 UTF-16 units
        {"text": "x", "attachment": {}},
        {"text": "x", "buttons": []},
        {"text": "x", "metadata": "a" * 1000},
        quick_replies(14),
        quick_replies(0),
        {"attachment": {"type": "image", "payload": {"url": "hoa.jpg"}}},
        template(template_type="button", text="a" * 641, buttons=[button()]),
        template(template_type="button", text="a", buttons=[button()] * 4),
        template(template_type="button", text="a", buttons=[]),
        template(template_type="button", text="a", buttons=[{"type": "web_url", "title": "Xem", "url": "x"}]),
        template(template_type="one_time_notif_req", title="a" * 66, payload="otn.1"),
        template(template_type="one_time_notif_req", title="", payload="otn.1"),
        template(template_type="one_time_notif_req", title="Báo tôi"),
        template(template_type="one_time_notif_req", title="a", payload="b", image_url="https://x/y.jpg"),
        template(template_type="unheard_of"),
        template(template_type="generic", elements=[{"title": "Hoa hồng"}]),
        template(template_type="generic", elements=[{"title": "a" * 81, "subtitle": "b"}]),
        template(template_type="generic", elements=[{"title": "a", "subtitle": "b" * 81}]),
        template(template_type="generic", elements=[{"title": "a", "image_url": "hoa.jpg"}]),
        template(template_type="generic", elements=[{"title": "a", "url": "https://hoa.vn"}]),
        template(template_type="generic", elements=[{"title": "a", "default_action": button()}]),
        template(
            template_type="generic",
            elements=[
                {"title": "a", "default_action": {"type": "web_url", "title": "b", "url": "https://x.vn"}}
            ],
        ),
    ],
)
def test_content_beyond_the_limits_is_refused_and_uses_no_token(remote, graph, lan, message):
    token = token_of(remote, lan)
    assert graph.refused({"id": lan}, message)[0] == 100
    assert graph.refused(by_token(token), message)[0] == 100
    assert graph.send(by_token(token))[0] == 200


def test_a_quick_reply_gives_the_persons_own_address(remote, graph, lan):
    asks = [{"content_type": "user_email"}, {"content_type": "user_phone_number"}]
    graph.send({"id": lan}, {"text": "Tiệm liên lạc bằng cách nào?", "quick_replies": asks})
    remote.act(lan, "quick_reply", asks="user_email")
    said = remote.thread(lan)["bubbles"][-1]["message"]
    assert said["text"] == said["quick_reply"]["payload"]
    assert "@" in said["text"]


def test_a_number_is_dialled_without_a_word_to_the_page(remote, graph, lan):
    call = {"type": "phone_number", "title": "Gọi", "payload": "+84901234567"}
    card = template(template_type="generic", elements=[{"title": "Hoa", "buttons": [call]}])
    mid = graph.send({"id": lan}, card)[1]["message_id"]
    assert remote.act(lan, "tap", mid=mid, title="Gọi") == {}


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, True),
        ({"messaging_type": "UPDATE"}, True),
        ({"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}, True),
        ({"messaging_type": "SOMETHING"}, False),
        ({"messaging_type": "MESSAGE_TAG"}, False),
        ({"messaging_type": "MESSAGE_TAG", "tag": "CONFIRMED_EVENT_UPDATE"}, False),
        ({"tag": "ACCOUNT_UPDATE"}, False),
        ({"notification_type": "LOUD"}, False),
    ],
)
def test_message_types_and_tags_of_late_2026(graph, lan, given, taken):
    assert (graph.send({"id": lan}, **given)[0] == 200) is taken


def test_the_token_may_come_as_query_form_json_or_header(graph, base_url, lan):
    body = {"recipient": {"id": lan}, "message": {"text": "x"}}
    form = {key: json.dumps(value) for key, value in body.items()}
    url = f"{base_url}/v26.0/{PAGE}/messages"
    answers = [
        graph.session.post(url, params={"access_token": TOKEN}, json=body),
        graph.session.post(url, data={**form, "access_token": TOKEN}),
        graph.session.post(url, json={**body, "access_token": TOKEN}),
        graph.session.post(url, headers={"Authorization": f"Bearer {TOKEN}"}, data=form),
    ]
    assert [each.status_code for each in answers] == [200] * 4


def test_no_token_and_a_wrong_token_are_told_apart(graph, base_url, lan):
    assert Graph(base_url, "wrong").refused({"id": lan})[0] == 190
    status, body = graph.call("GET", "me", with_token=False)
    assert (status, body["error"]["code"]) == (400, 104)


def test_a_proof_must_be_right_and_can_be_required(remote, graph, lan):
    proof = appsecret_proof(SECRET, TOKEN)
    assert graph.send({"id": lan}, appsecret_proof=proof)[0] == 200
    assert graph.refused({"id": lan}, appsecret_proof=proof[::-1])[0] == 100
    remote.save_page(PAGE, require_proof=True)
    assert graph.refused({"id": lan})[0] == 100
    assert graph.send({"id": lan}, appsecret_proof=proof)[0] == 200


def test_an_error_answer_has_the_platforms_shape(remote, graph):
    _, body = graph.send({"id": "123"})
    assert set(body["error"]) == {"message", "type", "code", "error_subcode", "fbtrace_id"}


def test_the_books_hold_every_send_that_arrived(remote, graph, lan):
    token = token_of(remote, lan)
    graph.send(by_token(token))
    graph.send(by_token(token))
    graph.send({"id": "123"})
    books = remote.books(PAGE)
    assert [(each["token"], each["code"], each["subcode"]) for each in books["sends"]] == [
        (token, None, None),
        (token, 100, None),
        (None, 100, 2018001),
    ]
    assert books["refused"] == {"100": 1, "100/2018001": 1}
    assert [(each["token"], each["mid"]) for each in books["tokens"]] == [(token, books["sends"][0]["mid"])]


def test_more_calls_than_the_page_may_make_are_throttled(remote, graph, lan):
    remote.settings(calls_per_second=1, calls_window_seconds=3)
    outcomes = [graph.send({"id": lan})[0] for _ in range(4)]
    assert outcomes.count(200) == 3
    assert graph.refused({"id": lan}) == (613, None)


def test_the_daily_allowance_grows_with_the_people_and_shows_in_the_headers(remote, graph, lan):
    remote.settings(calls_per_person_and_day=2)
    graph.send({"id": lan})
    url, body = f"{graph.base_url}/me/messages", {"recipient": {"id": lan}, "message": {"text": "x"}}
    answer = graph.session.post(url, params={"access_token": TOKEN}, json=body)
    usage = json.loads(answer.headers["X-Business-Use-Case-Usage"])[PAGE][0]
    assert (usage["type"], usage["call_count"]) == ("messenger", 100)
    assert graph.refused({"id": lan}) == (80006, None)
    remote.go_ahead(DAY)
    remote.act(lan, "open", ref="hoa")
    assert graph.send({"id": lan})[0] == 200
