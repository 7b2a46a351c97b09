"""People with habits, faults with shares, profiles, and a world that survives restarts and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
import requests

from core.simulator import World
from core.simulator.control_client import NotPossibleForPerson, SimulatorClient, SimulatorUnreachable
from core.simulator.faults import Fault
from tests.processes import free_port
from tests.simulator.conftest import PAGE, REQUEST, TOKEN, Graph


def person(remote, habit: str) -> str:
    psid = remote.add_people(PAGE, [{"first_name": "Mai", "habit": habit}])[0]["psid"]
    remote.act(psid, "get_started")
    return psid


@pytest.mark.parametrize(
    ("habit", "taps"), [("taps_at_once", 1), ("taps_later", 1), ("never_taps", 0), ("passive", 0)]
)
def test_people_tap_by_habit(remote, graph, habit, taps):
    graph.send({"id": person(remote, habit)}, REQUEST)
    assert remote.books(PAGE, short=True)["issued"] == taps


def test_those_who_tap_later_tap_later(remote, graph, world):
    remote.settings(tap_later_seconds=60, jitter=0.0)
    graph.send({"id": person(remote, "taps_later")}, REQUEST)
    assert remote.books(PAGE, short=True)["issued"] == 0
    remote.go_ahead(60)
    world.scheduler.do_due()
    tapped = threading.Event()
    world.scheduler.at(0, tapped.set)  # everything due before it is done when this is
    assert tapped.wait(10)
    assert remote.books(PAGE, short=True)["issued"] == 1


def test_some_block_the_page_when_a_notification_comes(remote, graph):
    psid = person(remote, "blocks")
    assert graph.send({"id": psid})[0] == 200
    first, second = (remote.issue_tokens(PAGE, psids=[psid])[0]["token"] for _ in range(2))
    assert graph.send({"one_time_notif_token": first})[0] == 200
    assert graph.refused({"one_time_notif_token": second}) == (551, 1545041)


def test_a_share_is_met_exactly():
    fault = Fault("temporary", share=0.3, after=2, count=5)
    assert [fault.fires() for _ in range(22)].count(True) == 5
    assert [Fault("temporary", share=0.3).fires() for _ in range(1)] == [False]
    fault = Fault("temporary", share=0.3)
    assert [fault.fires() for _ in range(10)].count(True) == 3


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rate_613", (613, None)),
        ("busy_80006", (80006, None)),
        ("token_invalid", (190, None)),
        ("restricted", (10, 1893063)),
        ("blocked", (551, 1545041)),
        ("temporary", (1200, None)),
    ],
)
def test_scripted_refusals_take_nothing(remote, graph, lan, name, expected):
    token = remote.issue_tokens(PAGE, psids=[lan])[0]["token"]
    remote.fault(name, count=1)
    assert graph.refused({"one_time_notif_token": token}) == expected
    assert graph.send({"one_time_notif_token": token})[0] == 200


def test_any_code_can_be_scripted(remote, graph, lan):
    remote.fault("refuse", value={"code": 4242, "subcode": 17})
    assert graph.refused({"id": lan}) == (4242, 17)


def test_a_fault_can_be_one_pages_only(remote, graph, lan):
    remote.fault("temporary", page_id="999")
    assert graph.send({"id": lan})[0] == 200


@pytest.mark.parametrize(
    ("name", "taken"), [("drop_before", 0), ("drop_after", 1), ("http_500_before", 0), ("http_500_after", 1)]
)
def test_a_lost_answer_says_nothing_about_the_message(remote, graph, lan, name, taken):
    remote.fault(name, count=1)
    if name.startswith("drop"):
        with pytest.raises(requests.RequestException):
            graph.send({"id": lan})
    else:
        assert graph.send({"id": lan})[0] == 500
    assert remote.books(PAGE, short=True)["accepted"] == taken


def test_latency_holds_the_answer_back(remote, graph, lan):
    remote.fault("latency", value=30, count=1)
    url = f"{graph.base_url}/me/messages?access_token={TOKEN}"
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, json={"recipient": {"id": lan}}, timeout=0.2)


def test_unknown_faults_settings_and_deeds_are_named(remote, lan):
    for wrong in (
        lambda: remote.fault("gremlins"),
        lambda: remote.settings(gremlins=1),
        lambda: remote.settings(token_length="long"),
        lambda: remote.act(lan, "dance"),
        lambda: remote.act("123", "read"),
        lambda: remote.say(lan, " "),
        lambda: remote.save_page(PAGE, colour="red"),
    ):
        with pytest.raises(NotPossibleForPerson):
            wrong()


def test_usage_headers_can_be_staged(remote, graph, lan):
    remote.usage(95, minutes=7)
    url = f"{graph.base_url}/me/messages?access_token={TOKEN}"
    answer = requests.post(url, json={"recipient": {"id": lan}, "message": {"text": "x"}})
    assert '"call_count": 95' in answer.headers["X-Business-Use-Case-Usage"]
    assert '"estimated_time_to_regain_access": 7' in answer.headers["X-Business-Use-Case-Usage"]


def test_nodes_and_profiles_answer_as_approved(remote, graph, lan):
    assert graph.call("GET", "me", fields="id,name")[1] == {"id": PAGE, "name": "Tiệm Hoa Mai"}
    status, body = graph.call("GET", lan, fields="first_name,locale")
    assert (status, body["error"]["code"], body["error"]["error_subcode"]) == (400, 100, 2018247)
    remote.save_page(PAGE, approved_fields=["locale"])
    assert graph.call("GET", lan, fields="first_name,locale")[1] == {
        "first_name": "Lan",
        "locale": "vi_VN",
        "id": lan,
    }
    assert graph.call("GET", "123")[1]["error"]["error_subcode"] == 33


def test_the_messenger_profile_is_kept_and_checked(remote, graph):
    item = {"type": "postback", "title": "Xem giá", "payload": "menu:1"}
    menu = [{"locale": "default", "call_to_actions": [item]}]
    assert graph.call("DELETE", "me/messenger_profile", fields=["get_started"])[0] == 200
    assert graph.call("POST", "me/messenger_profile", persistent_menu=menu)[0] == 400
    started = {"payload": "GET_STARTED"}
    assert graph.call("POST", "me/messenger_profile", get_started=started)[1] == {"result": "success"}
    assert graph.call("POST", "me/messenger_profile", persistent_menu=menu)[0] == 200
    found = graph.call("GET", "me/messenger_profile", fields="get_started")[1]
    assert found == {"data": [{"get_started": started}]}


def test_unknown_webhook_fields_are_refused(graph, remote):
    assert graph.call("POST", "me/subscribed_apps", subscribed_fields="messages,gossip")[0] == 400


def test_a_world_in_a_file_survives_a_restart(tmp_path):
    world = World(str(tmp_path / "s.db"))
    world.add_page(PAGE, "Tiệm Hoa Mai", TOKEN)
    lan = world.add_person(PAGE, "Lan")
    token = world.issue_token(lan)
    for text in ("một", "hai", "ba"):
        world.add_bubble(lan, {"text": text}, by_page=True)
    world.store.close()
    again = World(str(tmp_path / "s.db"))
    assert again.page_by_token(TOKEN) == world.pages[PAGE]
    assert again.people[lan.psid] == lan
    assert again.tokens[token.token] == token
    assert [each.message["text"] for each in again.threads[lan.psid]] == ["một", "hai", "ba"]
    assert len(again.sends) == 3


def test_what_was_accepted_survives_kill_9(tmp_path, monkeypatch):
    port, env = free_port(), {**os.environ, "OTN_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", f"from core.simulator import serve; serve({port})"]

    def start() -> tuple[subprocess.Popen[bytes], SimulatorClient]:
        process = subprocess.Popen(command, env=env)
        wait_until_up(port, process)
        return process, SimulatorClient(f"http://127.0.0.1:{port}")

    process, remote = start()
    try:
        remote.save_page(PAGE, name="Tiệm Hoa Mai", token=TOKEN)
        tokens = [each["token"] for each in remote.issue_tokens(PAGE, 20)]
        graph = Graph(remote.base_url)
        for token in tokens[:10]:
            assert graph.send({"one_time_notif_token": token})[0] == 200
        process.send_signal(signal.SIGKILL)
        process.wait()
        process, remote = start()
        assert remote.books(PAGE, short=True)["accepted_by_token"] == 10
        outcomes = [Graph(remote.base_url).send({"one_time_notif_token": each})[0] for each in tokens]
        assert outcomes == [400] * 10 + [200] * 10
        process.terminate()
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()


def wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None
        try:
            SimulatorClient(f"http://127.0.0.1:{port}").pages()
            return
        except SimulatorUnreachable:
            threading.Event().wait(0.05)
    raise AssertionError("the simulator did not start")
