"""A Streamlit session is its cookie's: attacks on a real server by websockets, uploads and downloads."""

from __future__ import annotations

import contextlib
import http.client
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from core.accounts import actions
from core.accounts.rules import COMMAND_LINE
from core.accounts.sessions import hash_of
from core.clock import utc_now
from core.encryption import derived_key
from pages.shell.strangers import MOST_BY_ADDRESS, MOST_BYTES
from tests.pages.conftest import APP, an_operator
from tests.processes import answers, free_port, process, until
from tests.signing_in import key_of

XSRF = "_streamlit_xsrf"


def cookie_name() -> str:
    return f"notify_once_{derived_key('cookie name', size=4).hex()}"


@dataclass
class Server:
    port: int
    lan: int
    log: Path
    base: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def cookies(self, key: str | None) -> str:
        return f"{cookie_name()}={key}" if key else ""

    def connect(self, key: str | None, resume: str = "", **headers: str) -> ClientConnection:
        protocols = ["streamlit", "token", *([resume] if resume else [])]
        sent = {"Cookie": self.cookies(key), "Origin": f"http://127.0.0.1:{self.port}", **headers}
        origin = sent.pop("Origin") or None
        url = f"ws://127.0.0.1:{self.port}{self.base}/_stcore/stream"
        return connect(
            url,
            subprotocols=protocols,
            additional_headers=sent,
            origin=origin,
            max_size=None,
            proxy=None,
            open_timeout=60,
        )

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str]]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        answer.read()
        line.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.fixture
def server(arrange, tmp_path: Path) -> Iterator[Server]:
    lan = an_operator(arrange, "admin", "lan")
    an_operator(arrange, "admin", "chi")
    port, log = free_port(), tmp_path / "panel.log"
    command = ["-m", "streamlit", "run", str(APP), f"--server.port={port}", "--server.headless=true"]
    with process(*command, log=log):
        until(lambda: answers(port), what=f"the panel is up, see {log}")
        yield Server(port, lan, log)


def run(line: ClientConnection) -> tuple[str, str]:
    """Run the page; the session's id and all that was drawn."""
    asked = BackMsg()
    asked.rerun_script.query_string = ""
    asked.rerun_script.page_name = "health"
    line.send(asked.SerializeToString())
    session_id, drawn = "", ""
    while True:
        said = ForwardMsg()
        said.ParseFromString(line.recv(timeout=60))
        kind = said.WhichOneof("type")
        if kind == "new_session":
            session_id = said.new_session.initialize.session_id
        drawn += str(said.delta) if kind == "delta" else ""
        if kind == "script_finished":
            return session_id, drawn


SIGNED_IN, SHUT = "account_menu", "sign_in_name"


def test_the_id_of_a_session_is_no_login(server: Server) -> None:
    key = key_of(server.lan)
    with server.connect(key) as line:
        session_id, drawn = run(line)
        assert SIGNED_IN in drawn
        other = key_of(server.lan)
        for stolen in (None, "invented", key.swapcase(), f"{key}x"):
            with server.connect(stolen, resume=session_id) as thief:
                theirs, drawn = run(thief)
                assert theirs != session_id
                assert SHUT in drawn
                assert SIGNED_IN not in drawn
        with server.connect(other, resume=session_id) as thief:  # signed in as well, elsewhere
            assert run(thief)[0] != session_id
        assert run(line)[0] == session_id  # and the owner was not disturbed
    with server.connect(None, resume=session_id) as thief:  # nor when the owner's connection is gone
        theirs, drawn = run(thief)
        assert (theirs != session_id, SHUT in drawn) == (True, True)
    with server.connect(key, resume=session_id) as line:
        assert run(line)[0] == session_id  # who has the cookie goes on where they were


def test_what_a_client_says_in_the_servers_own_header_is_thrown_away(server: Server) -> None:
    key = key_of(server.lan)
    header = {"X-Notify-Once-Session": hash_of(key)}
    with server.connect(None, **header) as thief:
        assert SHUT in run(thief)[1]


def test_the_session_of_a_stranger_is_nobody_elses(server: Server) -> None:
    """Somebody who is signing in has a ticket in their page."""
    with server.connect(None) as line:
        session_id, _drawn = run(line)
        with server.connect(None, resume=session_id) as thief:
            assert run(thief)[0] != session_id


def test_no_message_of_a_session_that_has_ended_is_answered(server: Server) -> None:
    """Runs, fragments, callbacks and downloads all begin with one."""
    key = key_of(server.lan)
    with server.connect(key) as line:
        session_id, drawn = run(line)
        assert SIGNED_IN in drawn
        actions.disable_operator(COMMAND_LINE, server.lan, now=utc_now())
        with pytest.raises(ConnectionClosed):
            run(line)
    with server.connect(key, resume=session_id) as line:
        again, drawn = run(line)
        assert again != session_id
        assert SHUT in drawn
        assert SIGNED_IN not in drawn


def test_another_site_is_refused(server: Server) -> None:
    own = f"127.0.0.1:{server.port}"
    other_port = f"127.0.0.1:{server.port + 1}"
    for host in ("evil.example", "localhost:9999", "127.0.0.1", other_port, f"{own}.evil.example"):
        with pytest.raises(InvalidStatus), server.connect(key_of(server.lan), Origin=f"http://{host}"):
            pass
        assert server.ask("DELETE", "/session", Origin=f"http://{host}")[0] == 403
    assert server.ask("DELETE", "/session", Origin="null")[0] == 403
    assert server.ask("DELETE", "/session", sec_fetch_site="cross-site")[0] == 403


def test_a_file_is_taken_from_the_owner_of_the_session_only(server: Server) -> None:
    key, other = key_of(server.lan), key_of(server.lan)
    token = re.search(rf"{XSRF}=([^;]+)", server.ask("GET", "/_stcore/health")[1]["set-cookie"])[1]
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\n\r\npsid\r\n--x--\r\n'

    def put(who: str | None, session_id: str, method: str = "PUT") -> int:
        cookies = "; ".join(filter(None, [f"{XSRF}={token}", server.cookies(who)]))
        kind = {"Content-Type": "multipart/form-data; boundary=x", "X-Xsrftoken": token, "Cookie": cookies}
        return server.ask(method, f"/_stcore/upload_file/{session_id}/1", body, **kind)[0]

    with server.connect(key) as line:
        session_id, _drawn = run(line)
        for method in ("PUT", "DELETE"):
            assert put(None, session_id, method) == 403
            assert put("invented", session_id, method) == 403
            assert put(other, session_id, method) == 403
            assert put(key, "another-session", method) == 403
        assert put(key, session_id) == 204
        assert put(key, session_id, "DELETE") == 204


def test_nothing_is_downloaded_without_a_session(server: Server) -> None:
    path = "/media/" + "0" * 56 + ".csv"
    assert server.ask("GET", path)[0] == 403
    assert server.ask("GET", path, Cookie=server.cookies("invented"))[0] == 403
    assert server.ask("GET", path, Cookie=server.cookies(key_of(server.lan)))[0] == 404


def begin_message(line: ClientConnection, size: int) -> None:
    """Send a binary message of so many bytes but for the last one, or as much of it as is taken."""
    with contextlib.suppress(OSError):
        line.socket.sendall(b"\x82\xff" + struct.pack("!Q", size) + bytes(size + 3))


def test_strangers_have_so_many_connections_and_staff_as_many_as_they_like(server: Server) -> None:
    with contextlib.ExitStack() as kept:
        lines = [kept.enter_context(server.connect(None)) for _ in range(MOST_BY_ADDRESS)]
        for stolen in (None, "invented"):
            with pytest.raises(InvalidStatus), server.connect(stolen):
                pass
        with server.connect(key_of(server.lan)) as line:
            assert SIGNED_IN in run(line)[1]
        lines[0].close()
        with server.connect(None) as line:
            assert SHUT in run(line)[1]


def test_nobody_makes_the_panel_hold_a_big_message(server: Server) -> None:
    with server.connect(None) as line:
        line.send(bytes(MOST_BYTES + 1))
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(timeout=60)
        assert closed.value.rcvd.code == 1009
    for key in (None, key_of(server.lan)):
        with server.connect(key) as line:
            begin_message(line, 2_000_001)
            with pytest.raises(ConnectionClosed) as closed:
                line.recv(timeout=60)
            assert closed.value.rcvd.code == 1009


def test_a_message_of_text_ends_the_connection_without_a_line_in_the_log(server: Server) -> None:
    with server.connect(None) as line:
        line.send("text")
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(timeout=60)
        assert closed.value.rcvd.code == 1003
    assert "Traceback" not in server.log.read_text("utf-8")


def test_what_streamlit_offers_to_programs_is_shut(server: Server) -> None:
    for path in ("metrics", "metrics/", "agent/openapi.json", "agent/interact"):
        assert server.ask("GET", f"/_stcore/{path}")[0] == 404
