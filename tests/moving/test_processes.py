"""A move in the middle of a broadcast, with the real processes of both sides running."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries
from core.clock import utc_now
from core.consent import imports
from core.db import holding
from core.db.holding import HoldCode
from core.fanpages import actions as fanpages
from core.installation.heartbeat import WORKER, HeartbeatWriter
from core.moving.move import abandon
from core.sending.work_snapshot import fanpages_with_work
from core.settings import settings
from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient
from tests import claiming
from tests.processes import HOME, answers, free_port, process, until

pytestmark = pytest.mark.sqlite  # where every move starts

PAGE_ID = "100000000000042"
PEOPLE = 900
SECRET = "hush-hush"
SOMEBODY = HeartbeatWriter(WORKER, utc_now)


@dataclass
class Office:
    remote: SimulatorClient
    folder: Path
    graph_url: str
    broadcast_id: int

    def worker(self, name: str, **more: str):
        return process("-m", "core", "worker", log=self.folder / name, OTN_GRAPH_URL=self.graph_url, **more)

    def accepted(self) -> list[str]:
        sends = self.remote.books(PAGE_ID)["sends"]
        return [send["token"] for send in sends if send["token"] and send["mid"]]

    def command(self, *arguments: str, stdin: str = "") -> tuple[int, dict, str]:
        done = subprocess.run(
            [sys.executable, "-m", "core", *arguments, "--json"],
            cwd=self.folder,
            env={**_environment(), "OTN_GRAPH_URL": self.graph_url},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, json.loads(done.stdout), done.stderr


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(HOME)}


@pytest.fixture
def office(arrange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A broadcast to many people about to go out to the simulator."""
    with running_simulator(World()) as graph_url:
        remote = SimulatorClient(graph_url)
        remote.save_page(PAGE_ID, name="Tiệm Hoa Mai", token="page-token", app_secret="app-secret-for-tests")
        monkeypatch.setenv("OTN_GRAPH_URL", graph_url)
        settings.cache_clear()
        fanpage = fanpages.connect(
            COMMAND_LINE,
            page_id=PAGE_ID,
            name="Tiệm Hoa Mai",
            token="page-token",
            rate=150,
            i_know=True,
            now=utc_now(),
        )
        topic_id = arrange.topic(fanpage.id)
        issued, at = remote.issue_tokens(PAGE_ID, PEOPLE), utc_now().isoformat()
        lines = ["psid,token,consented_at", *(f"{t['psid']},{t['token']},{at}" for t in issued)]
        imports.import_opt_ins(
            COMMAND_LINE, fanpage.id, topic_id=topic_id, data="\n".join(lines).encode(), now=utc_now()
        )
        broadcast_id = actions.create_broadcast(
            COMMAND_LINE, topic_id=topic_id, content={"kind": "text", "text": "Đã về!"}, now=utc_now()
        )
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=utc_now())
        yield Office(remote, tmp_path, graph_url, broadcast_id)
        remote.close()


def test_in_the_middle_of_a_broadcast_every_token_is_accepted_once(office, new, there, move) -> None:
    with office.worker("old.log") as old:
        until(lambda: len(office.accepted()) > PEOPLE / 10, what="some are sent")
        moved = move(new, wait_seconds=90)
        (going_on,) = moved.going_on
        assert going_on[0] == office.broadcast_id
        assert 0 < going_on[2] < PEOPLE
        assert holding.current_hold().takes_in_nothing
        with office.worker("new.log", OTN_DATABASE_URL=new), there(new):
            until(lambda: queries.get_broadcast(office.broadcast_id).state == "finished", what="it ended")
            shown = queries.get_broadcast(office.broadcast_id)
        assert old.poll() is None  # it has seen all of it, and kept still
        until(lambda: "has been moved" in (office.folder / "old.log").read_text(), what="it says so")
    accepted = office.accepted()
    assert len(accepted) == len(set(accepted)) == PEOPLE
    assert (shown.counts["sent"], shown.in_doubt, shown.balances) == (PEOPLE, 0, True)


def test_afterwards_the_old_processes_refuse(office, new) -> None:
    port = free_port()
    with process("-m", "webhook_server", log=office.folder / "hooks.log", OTN_WEBHOOK_PORT=str(port)):
        until(lambda: answers(port), what="the webhook server is up")
        url = f"http://127.0.0.1:{port}"
        assert requests.get(f"{url}/readyz", timeout=10).status_code == 200
        code, moved, said = office.command("move", "--to", "-", stdin=new + "\n")
        assert (code, set(moved)) == (0, {"to", "rows", "total", "going_on"}), (moved, said)
        body = json.dumps({"object": "page", "entry": [{"id": PAGE_ID, "time": 1, "messaging": [_said()]}]})
        from core.messenger.signature import HEADER, sign

        signed = {HEADER: sign("app-secret-for-tests", body.encode())}
        assert requests.post(f"{url}/webhook", data=body, headers=signed, timeout=10).status_code == 503
        assert requests.get(f"{url}/readyz", timeout=10).status_code == 503
    code, refused, _said_too = office.command("worker")
    assert (code, refused["error"]["code"]) == (1, "wrong_state")
    assert "has been moved to postgresql://" in refused["error"]["message"]
    assert office.command("release")[0] == 1
    assert office.command("release", "--although-moved")[:2] == (0, {"released": True})


def _said() -> dict:
    return {
        "sender": {"id": "25"},
        "recipient": {"id": PAGE_ID},
        "timestamp": 1,
        "message": {"mid": "m_1", "text": "chào"},
    }


def test_no_password_reaches_any_output(office) -> None:
    address = f"postgresql://anna:{SECRET}@127.0.0.1:9/otn"
    for arguments, stdin in ((("--to", address), ""), (("--to", "-"), address)):
        code, refused, said = office.command("move", *arguments, stdin=stdin)
        assert (code, refused["error"]["code"]) == (1, "refused")
        assert SECRET not in said + json.dumps(refused)


def test_killed_while_it_waits_it_is_given_up_or_repeated(shop, new, move, tmp_path: Path) -> None:
    """The old one stays held, for nobody knows how far it came, until somebody says how to go on."""
    claiming.claim(shop["sending"], 2, worker=SOMEBODY.process, now=utc_now())  # and is never heard of again
    for say_how in (lambda: abandon(COMMAND_LINE, now=utc_now()), lambda: move(new, wait_seconds=60)):
        with process("-m", "core", "move", log=tmp_path / "move.log", OTN_MOVE_TO=new) as moving:
            until(lambda: waits_for(tmp_path / "move.log"), what="it waits for what is on the wire")
            moving.kill()
            moving.wait()
        (tmp_path / "move.log").unlink()
        assert holding.current_hold().code == HoldCode.LEAVING
        assert fanpages_with_work(now=utc_now()) == []
        say_how()
    assert holding.current_hold().code == HoldCode.MOVED


def waits_for(log: Path) -> bool:
    SOMEBODY.beat()
    return "on the wire" in log.read_text("utf-8")
