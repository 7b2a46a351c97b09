"""Comments on posts in the pretend Messenger, and the one private reply to each."""

from __future__ import annotations

import pytest

from tests.simulator.conftest import ALL_FIELDS, PAGE


@pytest.fixture
def comment_id(remote, lan) -> str:
    remote.save_page(PAGE, subscribed_fields=[*ALL_FIELDS, "feed"])
    return remote.act(lan, "comment", text="Giá bao nhiêu?")["comment_id"]


def test_a_comment_is_told_of_as_a_change_of_the_feed(remote, receiver, comment_id, lan) -> None:
    remote.webhooks_delivered(PAGE)
    [change] = [body for body in receiver.bodies if b'"changes"' in body]
    assert b'"field": "feed"' in change or b'"field":"feed"' in change
    assert comment_id.encode() in change
    assert lan.encode() in change


def test_one_private_reply_is_taken_for_each_comment(graph, comment_id, lan) -> None:
    status, body = graph.send({"comment_id": comment_id})
    assert (status, body["recipient_id"]) == (200, lan)
    assert graph.refused({"comment_id": comment_id})[0] == 10900


def test_a_private_reply_needs_no_window_and_opens_none(remote, graph, comment_id, lan) -> None:
    remote.go_ahead(2 * 24 * 3600)
    assert graph.refused({"id": lan}) == (10, 2018278)
    assert graph.send({"comment_id": comment_id})[0] == 200
    assert graph.refused({"id": lan}) == (10, 2018278)


def test_after_seven_days_no_private_reply_is_taken(remote, graph, comment_id) -> None:
    remote.go_ahead(7 * 24 * 3600 + 1)
    assert graph.refused({"comment_id": comment_id})[0] == 10903


def test_an_unknown_comment_and_a_blocked_page_are_refused(remote, graph, comment_id, lan) -> None:
    assert graph.refused({"comment_id": "1_2"}) == (100, 33)
    remote.change_person(lan, blocked=True)
    assert graph.refused({"comment_id": comment_id}) == (551, 1545041)
