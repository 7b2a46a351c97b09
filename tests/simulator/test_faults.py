"""Each fault of a whole request does what its name says, and takes the messages or not, as it says."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
import requests

from tests.simulator.conftest import PAGE, TOKEN


def batch(tokens: list[str]) -> dict[str, str]:
    def body(token: str) -> str:
        recipient, message = {"one_time_notif_token": token}, {"text": "Chào"}
        return urlencode({"recipient": json.dumps(recipient), "message": json.dumps(message)})

    items = [{"method": "POST", "relative_url": "me/messages", "body": body(token)} for token in tokens]
    return {"access_token": TOKEN, "include_headers": "false", "batch": json.dumps(items)}


@pytest.mark.parametrize(
    ("fault", "status", "items", "taken"),
    [
        ("http_500_before", 500, None, 0),
        ("http_500_after", 500, None, 3),
        ("html_502_before", 502, None, 0),
        ("html_502_after", 502, None, 3),
        ("html_403_before", 403, None, 0),
        ("bad_json_before", 200, None, 0),
        ("bad_json", 200, None, 3),
        ("refuse_all", 429, None, 0),
        ("batch_empty", 200, 0, 3),
        ("batch_longer", 200, 4, 3),
        ("drop_before", "lost", None, 0),
        ("drop_after", "lost", None, 3),
        ("hang_before", "lost", None, 0),
        ("hang_after", "lost", None, 3),
    ],
)
def test_a_struck_request(remote, base_url, fault, status, items, taken) -> None:
    tokens = [each["token"] for each in remote.issue_tokens(PAGE, 3)]
    values = {"refuse_all": {"code": 80006, "status": 429}, "hang_before": 0.01, "hang_after": 0.01}
    remote.fault(fault, count=1, value=values.get(fault))
    try:
        answer = requests.post(f"{base_url}/v26.0/", data=batch(tokens), timeout=20)
    except requests.RequestException:
        assert status == "lost"
    else:
        assert answer.status_code == status
        if items is not None:
            assert len(answer.json()) == items
        assert ("<html>" in answer.text) == fault.startswith(("html", "bad_json"))
    assert remote.books(PAGE, short=True)["accepted"] == taken


@pytest.mark.parametrize(("fault", "code"), [("unknown_1", 1), ("outage_2", 2), ("app_limit_4", 4)])
def test_a_message_refused_for_a_passing_reason_is_not_taken(remote, graph, fault, code) -> None:
    (token,) = [each["token"] for each in remote.issue_tokens(PAGE, 1)]
    remote.fault(fault, count=1)
    assert graph.refused({"one_time_notif_token": token}) == (code, None)
    assert graph.send({"one_time_notif_token": token})[0] == 200


def test_a_permission_that_is_gone_refuses_sends_and_the_profile_but_not_the_page(remote, graph) -> None:
    (token,) = [each["token"] for each in remote.issue_tokens(PAGE, 1)]
    remote.fault("permission_gone", value={"code": 283, "status": 403})
    for status, body in (
        graph.send({"one_time_notif_token": token}),
        graph.call("GET", "me/messenger_profile"),
    ):
        assert (status, body["error"]["code"]) == (403, 283)
    assert graph.call("GET", "me")[0] == 200
    remote.end_faults("permission_gone")
    assert graph.send({"one_time_notif_token": token})[0] == 200


def test_only_the_profile_may_be_refused_too(remote, graph) -> None:
    (token,) = [each["token"] for each in remote.issue_tokens(PAGE, 1)]
    remote.fault("profile_refused")
    assert graph.call("GET", "me/messenger_profile")[1]["error"]["code"] == 230
    assert graph.send({"one_time_notif_token": token})[0] == 200


@pytest.mark.parametrize(
    ("fault", "code"), [("blocked_230", 230), ("blocked_551", 551), ("not_receiving_200", 200)]
)
def test_one_person_is_refused_and_the_others_are_not(remote, graph, fault, code) -> None:
    first, second, third = remote.issue_tokens(PAGE, 3)
    remote.fault(fault, psid=second["psid"])
    assert graph.send({"one_time_notif_token": first["token"]})[0] == 200
    assert graph.refused({"one_time_notif_token": second["token"]}) == (code, None)
    assert graph.send({"one_time_notif_token": third["token"]})[0] == 200
