"""What people do reaches the webhook: signed, escaped, bundled, retried, at least once."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from core.messenger import signature
from core.simulator.control_client import NotPossibleForPerson
from tests.simulator.conftest import PAGE, REQUEST, SECRET


def delivered(remote) -> dict:
    report = remote.webhooks_delivered(PAGE)
    assert report["waiting"] == 0
    return report


@pytest.fixture
def asked(graph, lan) -> str:
    """A request waiting for Lan's tap: its mid."""
    return graph.send({"id": lan}, REQUEST)[1]["message_id"]


def test_bodies_are_signed_over_escaped_bytes(remote, receiver, lan):
    remote.say(lan, "Hoa đẹp quá / giá?")
    delivered(remote)
    for body, header in zip(receiver.bodies, receiver.signatures, strict=True):
        assert signature.is_valid(SECRET, body, header)
        assert body.isascii()
    assert any(rb"\u0111\u1eb9p qu\u00e1 \/ gi\u00e1" in body for body in receiver.bodies)


def test_ids_are_strings_and_times_are_milliseconds(remote, receiver, lan, world):
    delivered(remote)
    event = receiver.kind("postback")[0]
    assert (event["sender"]["id"], event["recipient"]["id"]) == (lan, PAGE)
    assert abs(event["timestamp"] / 1000 - world.now()) < 60
    assert event["postback"]["payload"] == "GET_STARTED"


def test_the_tap_brings_a_fresh_token_with_our_payload(remote, receiver, lan, asked):
    remote.notify_me(lan)
    delivered(remote)
    optin = receiver.kind("optin")[0]["optin"]
    token = remote.books(PAGE)["tokens"][0]
    assert optin == {
        "type": "one_time_notif_req",
        "payload": "otn.1",
        "one_time_notif_token": token["token"],
    }
    assert (len(token["token"]), token["title"]) == (260, "Báo tôi khi có hoa mẫu đơn")


def test_a_request_is_tapped_once(remote, lan, asked):
    remote.notify_me(lan, mid=asked)
    with pytest.raises(NotPossibleForPerson):
        remote.notify_me(lan, mid=asked)
    assert remote.thread(lan)["bubbles"][-1]["tapped"] is True


def test_a_second_tap_can_be_allowed_as_nothing_is_known_of_it(remote, lan, asked):
    remote.settings(second_tap_gives_token=True)
    remote.notify_me(lan, mid=asked)
    remote.notify_me(lan, mid=asked)
    assert remote.books(PAGE, short=True)["issued"] == 2


def test_the_tap_opens_no_window_unless_told_so(remote, lan, asked):
    remote.go_ahead(24 * 3600 + 1)
    remote.notify_me(lan)
    assert remote.thread(lan)["person"]["window_open"] is False


def test_an_old_request_can_still_be_tapped(remote, receiver, lan, asked):
    remote.go_ahead(90 * 24 * 3600)
    remote.notify_me(lan)
    delivered(remote)
    assert len(receiver.kind("optin")) == 1


def test_a_message_is_echoed_delivered_and_read(remote, receiver, graph, lan):
    mid = graph.send({"id": lan}, {"text": "Chào", "metadata": "delivery:7"})[1]["message_id"]
    remote.act(lan, "read")
    delivered(remote)
    echo = receiver.kind("message")[-1]
    assert (echo["sender"]["id"], echo["message"]["is_echo"], echo["message"]["metadata"]) == (
        PAGE,
        True,
        "delivery:7",
    )
    assert receiver.kind("delivery")[-1]["delivery"]["mids"] == [mid]
    assert receiver.kind("read")[-1]["read"]["watermark"] >= echo["timestamp"]


def test_an_m_me_link_is_get_started_for_a_stranger_and_a_referral_for_others(remote, receiver, lan):
    new = remote.add_people(PAGE, [{"first_name": "Huy"}])[0]["psid"]
    assert remote.act(new, "open", ref="mau_don") == {"came_as": "get_started"}
    assert remote.act(lan, "open", ref="mau_don") == {"came_as": "referral"}
    delivered(remote)
    referral = {"ref": "mau_don", "source": "SHORTLINK", "type": "OPEN_THREAD"}
    assert receiver.kind("postback")[-1]["postback"]["referral"] == referral
    assert receiver.kind("referral")[-1]["referral"] == referral


def test_get_started_is_there_once_and_only_if_the_page_set_it(remote, lan):
    with pytest.raises(NotPossibleForPerson):
        remote.act(lan, "get_started")
    remote.delete_thread(lan)
    remote.save_page(PAGE, profile={})
    with pytest.raises(NotPossibleForPerson):
        remote.act(lan, "get_started")


def test_buttons_and_quick_replies_tell_their_payload(remote, receiver, graph, lan):
    buttons = [{"type": "postback", "title": "Xem hoa", "payload": "message:7"}]
    payload = {"template_type": "button", "text": "Bạn cần gì?", "buttons": buttons}
    mid = graph.send({"id": lan}, {"attachment": {"type": "template", "payload": payload}})[1]["message_id"]
    remote.act(lan, "tap", mid=mid, title="Xem hoa")
    reply = {"content_type": "text", "title": "Hoa hồng", "payload": "message:8"}
    graph.send({"id": lan}, {"text": "Loại nào?", "quick_replies": [reply]})
    remote.act(lan, "quick_reply", title="Hoa hồng")
    delivered(remote)
    assert receiver.kind("postback")[-1]["postback"]["payload"] == "message:7"
    said = [each for each in receiver.kind("message") if "quick_reply" in each["message"]]
    assert said[0]["message"]["quick_reply"] == {"payload": "message:8"}
    with pytest.raises(NotPossibleForPerson):
        remote.act(lan, "quick_reply", title="Hoa hồng")


def test_only_subscribed_fields_are_delivered(remote, receiver, graph, lan):
    delivered(remote)
    graph.call("POST", f"{PAGE}/subscribed_apps", subscribed_fields="messaging_optins")
    before = len(receiver.events)
    remote.say(lan, "alo")
    remote.act(lan, "consent", payload="x")
    delivered(remote)
    assert [set(each) & {"message", "optin"} for each in receiver.events[before:]] == [{"optin"}]


def test_a_failed_delivery_is_retried_until_it_is_taken(remote, receiver, lan):
    delivered(remote)
    receiver.answers += [500, 403]
    remote.say(lan, "alo")
    assert delivered(remote)["failures"] == 2
    assert receiver.kind("message")[-1]["message"]["text"] == "alo"


def test_an_hour_of_failures_ends_the_subscription(remote, receiver, graph, lan, world):
    delivered(remote)
    receiver.answers += [500] * 10_000
    remote.say(lan, "alo")
    box = world.dispatcher.queue_of(PAGE)
    with box.changed:
        assert box.changed.wait_for(lambda: box.report.failing_since, 10)
    remote.go_ahead(3601)
    assert delivered(remote)["unsubscribed"] is True
    assert graph.call("GET", "me/subscribed_apps")[1] == {"data": []}


def test_events_can_come_twice_reversed_late_or_wrongly_signed(remote, receiver, lan):
    delivered(remote)
    remote.fault("webhook_duplicate", count=1)
    remote.say(lan, "một")
    delivered(remote)
    assert [each["message"]["text"] for each in receiver.kind("message")] == ["một", "một"]
    remote.fault("webhook_bad_signature", count=1)
    remote.say(lan, "hai")
    delivered(remote)
    assert not signature.is_valid(SECRET, receiver.bodies[-1], receiver.signatures[-1])
    remote.fault("webhook_late", count=1, value=3600)
    remote.say(lan, "ba")
    remote.say(lan, "bốn")
    remote.webhooks_delivered(PAGE, timeout=0.3)
    assert receiver.kind("message")[-1]["message"]["text"] == "bốn"
    remote.go_ahead(3600)
    delivered(remote)
    assert receiver.kind("message")[-1]["message"]["text"] == "ba"


def test_a_thousand_events_fit_in_one_delivery_of_many_entries(remote, receiver, world, lan):
    delivered(remote)
    receiver.answers.append(500)
    world.behaviour.webhook_retry_seconds = [0.5]
    remote.emit(PAGE, [{"sender": {"id": str(n)}, "odd": n} for n in range(1000)])
    delivered(remote)
    entries = json.loads(receiver.bodies[-1])["entry"]
    assert sum(len(each["messaging"]) for each in entries) == 1000
    assert len(entries) == 100


def test_events_that_were_not_taken_survive_a_restart(tmp_path, receiver):
    from core.simulator import World, people

    world = World(str(tmp_path / "s.db"))
    page = {"app_secret": SECRET, "webhook_url": receiver.url, "subscribed_fields": ["messages"]}
    world.add_page(PAGE, "Tiệm Hoa Mai", "t", **page)
    people.type_message(world, world.add_person(PAGE, "Lan").psid, "alo")
    world.store.close()
    again = World(str(tmp_path / "s.db"))
    again.start()
    assert again.dispatcher.wait_until_delivered(PAGE, 10)
    again.stop()
    assert receiver.kind("message")[0]["message"]["text"] == "alo"
    assert asdict(World(str(tmp_path / "s.db")).dispatcher.report(PAGE))["waiting"] == 0


def test_the_handshake_is_made_as_meta_makes_it(remote):
    assert remote.verify_webhook(PAGE) is True
