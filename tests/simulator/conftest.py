"""A page with people in a world of its own, served for real; a receiver that keeps what webhooks bring."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient

PAGE, TOKEN, SECRET = "100000000000001", "page-token-of-the-shop", "app-secret-of-the-shop"
ALL_FIELDS = [
    "messages",
    "message_echoes",
    "message_deliveries",
    "message_reads",
    "message_reactions",
    "messaging_optins",
    "messaging_postbacks",
    "messaging_referrals",
]


@dataclass
class Receiver:
    """Our side of the webhook, standing in for the product."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # statuses of the next answers; then 200

    @property
    def events(self) -> list[dict[str, Any]]:
        entries = [entry for body in self.bodies for entry in json.loads(body)["entry"]]
        return [event for entry in entries for event in entry.get("messaging", [])]

    def kind(self, key: str) -> list[dict[str, Any]]:
        return [event for event in self.events if key in event]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = kept.answers.pop(0) if kept.answers else 200
            if status == 200:
                kept.bodies.append(body)
                kept.signatures.append(self.headers["X-Hub-Signature-256"])
            self.send_response(status)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.path.split("hub.challenge=")[1].split("&")[0].encode())

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/webhook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def world() -> World:
    world = World()
    world.behaviour.change(
        {"delivery_seconds": 0, "read_seconds": 0, "tap_seconds": 0, "tap_later_seconds": 0}
    )
    world.behaviour.change({"webhook_linger_seconds": 0, "webhook_retry_seconds": [0.01]})
    return world


@pytest.fixture
def base_url(world: World) -> Iterator[str]:
    with running_simulator(world) as url:
        yield url


@pytest.fixture
def remote(base_url: str, receiver: Receiver) -> Iterator[SimulatorClient]:
    remote = SimulatorClient(base_url)
    remote.save_page(
        PAGE,
        name="Tiệm Hoa Mai",
        token=TOKEN,
        app_secret=SECRET,
        webhook_url=receiver.url,
        subscribed_fields=ALL_FIELDS,
        profile={"get_started": {"payload": "GET_STARTED"}},
    )
    yield remote
    remote.close()


@dataclass
class Graph:
    """What the product's client does on the wire, by hand."""

    base_url: str
    token: str = TOKEN
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, *, with_token: bool = True, **body: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if with_token else {}
        given = {"params": body} if method == "GET" else {"json": body}
        answer = self.session.request(
            method, f"{self.base_url}/v26.0/{path}", headers=headers, timeout=20, **given
        )
        return answer.status_code, answer.json()

    def send(self, recipient: dict[str, Any], message: Any = None, **more: Any) -> tuple[int, Any]:
        message = {"text": "Chào bạn"} if message is None else message
        return self.call("POST", "me/messages", recipient=recipient, message=message, **more)

    def refused(self, recipient: dict[str, Any], message: Any = None, **more: Any) -> tuple[int, int | None]:
        """(code, subcode) of a send that must be refused with HTTP 400."""
        status, body = self.send(recipient, message, **more)
        assert status == 400, body
        return body["error"]["code"], body["error"].get("error_subcode")


@pytest.fixture
def graph(base_url: str) -> Graph:
    return Graph(base_url)


@pytest.fixture
def lan(remote: SimulatorClient) -> str:
    """A person who has just pressed Get Started: her window is open."""
    psid = remote.add_people(PAGE, [{"first_name": "Lan", "last_name": "Nguyễn"}])[0]["psid"]
    remote.act(psid, "get_started")
    return psid


REQUEST = {
    "attachment": {
        "type": "template",
        "payload": {
            "template_type": "one_time_notif_req",
            "title": "Báo tôi khi có hoa mẫu đơn",
            "payload": "otn.1",
        },
    }
}
