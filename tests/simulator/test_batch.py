"""Graph batches: order, limits, item bodies, and what a bad day does to them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from core.messenger.signature import appsecret_proof
from tests.simulator.conftest import PAGE, SECRET, TOKEN


def item(token: str, text: str = "Chào") -> dict[str, str]:
    recipient, message = {"one_time_notif_token": token}, {"text": text}
    body = {"recipient": json.dumps(recipient), "message": json.dumps(message), "messaging_type": "UPDATE"}
    return {"method": "POST", "relative_url": "me/messages", "body": urlencode(body)}


def send(graph, items: list[Any], **more: Any) -> tuple[int, Any]:
    form = {"access_token": TOKEN, "include_headers": "false", "batch": json.dumps(items), **more}
    answer = graph.session.post(f"{graph.base_url}/v26.0/", data=form, timeout=20)
    return answer.status_code, answer.json()


def codes(answers: list[Any]) -> list[Any]:
    return [each and each["code"] for each in answers]


@pytest.fixture
def tokens(remote) -> list[str]:
    return [each["token"] for each in remote.issue_tokens(PAGE, 3)]


def test_answers_come_in_order_with_string_bodies(remote, graph, tokens):
    status, answers = send(graph, [item(tokens[0]), item("spurious"), item(tokens[1])])
    assert status == 200
    assert codes(answers) == [200, 400, 200]
    assert set(answers[0]) == {"code", "body"}
    owners = {each["token"]: each["psid"] for each in remote.books(PAGE)["tokens"]}
    assert json.loads(answers[2]["body"])["recipient_id"] == owners[tokens[1]]
    assert json.loads(answers[1]["body"])["error"]["code"] == 100


def test_a_token_twice_in_one_batch_is_taken_once(graph, tokens):
    assert codes(send(graph, [item(tokens[0]), item(tokens[0])])[1]) == [200, 400]


def test_items_have_headers_unless_they_are_not_wanted(graph, tokens):
    answers = send(graph, [item(tokens[0])], include_headers="true")[1]
    assert answers[0]["headers"][0]["name"] == "Content-Type"


def test_fifty_items_are_the_most(graph, remote):
    many = [item(each["token"]) for each in remote.issue_tokens(PAGE, 51)]
    status, body = send(graph, many)
    assert (status, body["error"]["code"]) == (400, 100)
    assert remote.books(PAGE, short=True)["accepted"] == 0
    assert codes(send(graph, many[:50])[1]) == [200] * 50


def test_an_item_whose_body_is_no_string_is_refused_alone(graph, tokens):
    wrong = {"method": "POST", "relative_url": "me/messages", "body": {"message": {"text": "x"}}}
    assert codes(send(graph, [wrong, item(tokens[0])])[1]) == [400, 200]


@pytest.mark.parametrize("batch", ["", "[]", "{}", "not json"])
def test_a_batch_that_is_no_list_is_refused_whole(graph, remote, batch):
    answer = graph.session.post(f"{graph.base_url}/", data={"access_token": TOKEN, "batch": batch})
    assert answer.status_code == 400


def test_the_outer_token_is_obligatory(graph, tokens):
    answer = graph.session.post(f"{graph.base_url}/", json={"batch": [item(tokens[0])]})
    assert answer.json()["error"]["code"] == 104


def test_reading_in_a_batch_works_too(graph, lan):
    get = {"method": "GET", "relative_url": f"v26.0/{lan}?fields=first_name"}
    answer = send(graph, [get])[1][0]
    assert json.loads(answer["body"]) == {"first_name": "Lan", "id": lan}


@pytest.mark.parametrize(("fault", "taken"), [("batch_null", 2), ("batch_null_after", 3)])
def test_a_null_item_says_nothing_about_whether_it_was_taken(remote, graph, tokens, fault, taken):
    remote.fault(fault, after=1, count=1)
    assert codes(send(graph, [item(each) for each in tokens])[1]) == [200, None, 200]
    assert remote.books(PAGE, short=True)["accepted"] == taken


def test_a_short_answer_leaves_an_item_out(remote, graph, tokens):
    remote.fault("batch_short", count=1)
    assert len(send(graph, [item(each) for each in tokens])[1]) == 2
    assert remote.books(PAGE, short=True)["accepted"] == 3


def test_the_known_batch_error_hides_messages_that_were_sent(remote, graph, tokens):
    remote.fault("batch_1357046", count=1)
    status, body = send(graph, [item(each) for each in tokens])
    assert (status, body["error"]["code"], body["error"]["error_subcode"]) == (400, 1, 1357046)
    assert remote.books(PAGE, short=True)["accepted"] == 3


@pytest.mark.parametrize(("fault", "taken"), [("message_500_before", 2), ("message_500_after", 3)])
def test_an_item_can_end_in_500_before_or_after_it_was_taken(remote, graph, tokens, fault, taken):
    remote.fault(fault, count=1)
    assert codes(send(graph, [item(each) for each in tokens])[1]) == [500, 200, 200]
    assert remote.books(PAGE, short=True)["accepted"] == taken


# Items with access tokens of their own

OTHER, OTHER_TOKEN = "100000000000002", "page-token-of-the-other-shop"


def own_item(token: str, page_id: str, access_token: str, **more: str) -> dict[str, str]:
    """An item of a mixed batch."""
    made = item(token)
    return {
        **made,
        "relative_url": f"{page_id}/messages",
        "body": urlencode({"access_token": access_token, **more}) + "&" + made["body"],
    }


def errors(answers: list[Any]) -> list[int | None]:
    return [json.loads(each["body"]).get("error", {}).get("code") for each in answers]


@pytest.fixture
def other(remote) -> list[str]:
    """Tokens of another shop's customers."""
    remote.save_page(OTHER, name="Tiệm Bánh", token=OTHER_TOKEN, app_secret="another-secret")
    return [each["token"] for each in remote.issue_tokens(OTHER, 3)]


def accepted(remote) -> list[int]:
    return [remote.books(page_id, short=True)["accepted"] for page_id in (PAGE, OTHER)]


def test_an_item_with_its_own_token_acts_for_that_page_and_one_without_for_the_outers(
    remote, graph, tokens, other
):
    answers = send(graph, [own_item(other[0], OTHER, OTHER_TOKEN), item(tokens[0]), item(other[1])])[1]
    assert errors(answers) == [None, None, 100]
    assert accepted(remote) == [1, 1]


def test_an_unknown_token_or_a_wrong_proof_of_an_item_fails_that_item_alone(remote, graph, tokens, other):
    items = [
        own_item(other[0], OTHER, "nobody's"),
        own_item(other[1], OTHER, OTHER_TOKEN, appsecret_proof="wrong"),
        own_item(
            other[2], OTHER, OTHER_TOKEN, appsecret_proof=appsecret_proof("another-secret", OTHER_TOKEN)
        ),
        item(tokens[0]),
    ]
    assert errors(send(graph, items)[1]) == [190, 100, None, None]
    assert accepted(remote) == [1, 1]


def test_the_outer_proof_does_not_stand_for_an_items_own_token(remote, graph, other):
    remote.save_page(OTHER, name="Tiệm Bánh", token=OTHER_TOKEN, require_proof=True)
    proof = appsecret_proof(SECRET, TOKEN)
    answers = send(graph, [own_item(other[0], OTHER, OTHER_TOKEN)], appsecret_proof=proof)[1]
    assert errors(answers) == [100]


def test_a_page_cannot_send_at_another_pages_address(remote, graph, tokens, other):
    items = [own_item(other[0], OTHER, TOKEN), own_item(tokens[0], PAGE, OTHER_TOKEN)]
    assert errors(send(graph, items)[1]) == [100, 100]
    assert accepted(remote) == [0, 0]


def test_a_bad_outer_token_fails_the_whole_call_unless_told_otherwise(remote, graph, tokens, other):
    items = [own_item(other[0], OTHER, OTHER_TOKEN), item(tokens[0])]
    status, body = send(graph, items, access_token="nobody's")
    assert (status, body["error"]["code"]) == (400, 190)
    remote.settings(batch_needs_outer_token=False)
    assert errors(send(graph, items, access_token="nobody's")[1]) == [None, 190]
    assert send(graph, items, access_token="")[1]["error"]["code"] == 104
    assert accepted(remote) == [0, 1]


def test_each_item_counts_against_its_own_pages_limit_and_shows_in_its_usage(remote, graph, tokens, other):
    remote.settings(calls_per_second=1, calls_window_seconds=2, calls_per_person_and_day=30)
    items = [own_item(each, OTHER, OTHER_TOKEN) for each in other] + [item(tokens[0])]
    form = {"access_token": TOKEN, "batch": json.dumps(items)}
    answer = graph.session.post(f"{graph.base_url}/v26.0/", data=form, timeout=20)
    assert errors(answer.json()) == [None, None, 613, None]
    assert set(json.loads(answer.headers["X-Business-Use-Case-Usage"])) == {PAGE, OTHER}


def test_mixed_batches_can_be_refused_as_a_whole(remote, graph, tokens, other):
    remote.fault("mixed_refused", value={"code": 31337})
    status, body = send(graph, [own_item(other[0], OTHER, OTHER_TOKEN), item(tokens[0])])
    assert (status, body["error"]["code"]) == (400, 31337)
    assert codes(send(graph, [item(tokens[0])])[1]) == [200]
    assert accepted(remote) == [1, 0]


def test_the_tokens_of_items_can_be_overlooked(remote, graph, tokens, other):
    remote.fault("mixed_tokens_ignored")
    items = [own_item(other[0], OTHER, OTHER_TOKEN), own_item(tokens[0], PAGE, TOKEN)]
    assert errors(send(graph, items)[1]) == [100, None]
    assert accepted(remote) == [1, 0]
