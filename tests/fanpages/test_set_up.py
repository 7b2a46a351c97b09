"""The checks of the set-up against the pretend Messenger and a webhook server; what people accept."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import pytest
import requests
from sqlmodel import select

import core.clock
from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.clock import utc_now
from core.db import database_clock
from core.db.engine import reading
from core.db.tables import Activity, SetUpConfirmation
from core.encryption import encrypt
from core.errors import Invalid, NotFound, WrongState
from core.fanpages import health_actions, installation_checks, set_up_actions
from core.fanpages.actions import connect
from core.fanpages.queries import get_fanpage
from core.fanpages.set_up_findings import Finding
from core.fanpages.set_up_queries import is_clock_off, list_addresses, read_conditions, read_set_up
from core.fanpages.set_up_rules import Check, Step
from core.settings import settings
from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient
from tests.messenger.graph import Reply, running_graph

PAGE, TOKEN = "100000000000001", "EAABpagetoken1"


@pytest.fixture
def world(fresh_database, monkeypatch):
    made = World()
    with running_simulator(made) as graph_url:
        monkeypatch.setenv("OTN_GRAPH_URL", graph_url)
        settings.cache_clear()
        with SimulatorClient(graph_url):
            yield made


@pytest.fixture
def fanpage(world, now) -> int:
    secret = settings().app_secret.get_secret_value()
    world.add_page(PAGE, "Tiệm Hoa Mai", TOKEN, app_secret=secret)
    return connect(COMMAND_LINE, page_id=PAGE, name="", token=TOKEN, now=now).id


def problems(fanpage: int, now) -> list[str]:
    return health_actions.check_health(fanpage, now=now)


def test_a_connected_fanpage_was_checked_whole(fanpage, now):
    view = get_fanpage(fanpage)
    assert (view.problems, view.checked_at) == ((), now)


def test_permissions_and_the_end_of_the_token_are_asked_of_facebook(world, fanpage, now):
    page = world.pages[PAGE]
    page.token_ends_at = int((now + timedelta(days=2)).timestamp())
    assert problems(fanpage, now) == ["token_ends_soon"]
    page.scopes = ["pages_messaging"]
    assert "no_metadata" in problems(fanpage, now)
    page.scopes = ["pages_manage_metadata"]
    assert "no_messaging" in problems(fanpage, now)


def test_the_token_never_stands_in_the_address_of_a_call(fresh_database, monkeypatch, arrange, now):
    with running_graph() as graph:
        graph.will(lambda handler: handler.answer(Reply(200, {"id": PAGE, "name": "x"})))
        monkeypatch.setenv("OTN_GRAPH_URL", graph.url)
        settings.cache_clear()
        problems(arrange.fanpage(page_id=PAGE, token_sealed=encrypt(TOKEN)), now)
        assert any("debug_token" in str(seen.body) for seen in graph.seen)
        assert not [seen for seen in graph.seen if TOKEN in seen.path or TOKEN in str(seen.query)]


def test_a_wrong_app_secret_is_told_from_a_wrong_token(world, fanpage, now):
    world.pages[PAGE].app_secret = "another"
    assert problems(fanpage, now) == ["wrong_app_secret"]


def test_red_refuses_launch_schedule_and_resume_and_mending_lets_them(world, fanpage, arrange, now):
    topic = arrange.topic(fanpage)
    arrange.opt_in(topic, arrange.customer(fanpage), fanpage_id=fanpage)
    content = {"kind": "text", "text": "Chào"}
    made = actions.create_broadcast(COMMAND_LINE, topic_id=topic, content=content, now=now)
    world.pages[PAGE].scopes = []
    problems(fanpage, now)
    with pytest.raises(WrongState, match="lacks the permission pages_messaging"):
        actions.launch(COMMAND_LINE, made, now=now)
    with pytest.raises(WrongState, match="pages_messaging"):
        actions.schedule(COMMAND_LINE, made, at=now + timedelta(days=1), now=now)
    world.pages[PAGE].scopes = ["pages_messaging", "pages_manage_metadata"]
    problems(fanpage, now)
    assert actions.launch(COMMAND_LINE, made, now=now) == "scheduled"


def test_amber_is_accepted_with_name_and_time_until_it_has_gone(world, fanpage, now):
    page = world.pages[PAGE]
    page.token_ends_at = int((now + timedelta(days=2)).timestamp())
    problems(fanpage, now)
    set_up_actions.accept(COMMAND_LINE, "token_ends_soon", fanpage_id=fanpage, now=now)
    with reading() as db:
        mark = db.get(SetUpConfirmation, (PAGE, "token_ends_soon"))
        assert (mark.by, mark.at) == ("command line", now)
        assert "fanpage.accept" in [row.verb for row in db.exec(select(Activity)).all()]
    page.token_ends_at = 0
    problems(fanpage, now)
    page.token_ends_at = int((now + timedelta(days=2)).timestamp())
    problems(fanpage, now)
    token = next(s for s in read_set_up(get_fanpage(fanpage), heard_at=None, now=now) if s.step == Step.TOKEN)
    assert not token.is_settled  # it came back, so it is looked at again


@pytest.mark.parametrize("code", ["token_invalid", "no_messaging", "otn_rejected", "unheard of"])
def test_red_and_what_nobody_knows_cannot_be_accepted(fanpage, now, code):
    with pytest.raises(WrongState, match="has to be fixed"):
        set_up_actions.accept(COMMAND_LINE, code, fanpage_id=fanpage, now=now)


def test_an_accepted_problem_of_one_fanpage_is_open_on_another(arrange, now):
    first, second = (arrange.fanpage(problems=["no_get_started"], checked_at=now) for _ in range(2))
    set_up_actions.accept(COMMAND_LINE, "no_get_started", fanpage_id=first, now=now)
    conditions = read_conditions(now=now)
    assert conditions.of(get_fanpage(first)) == "no_worker"
    assert conditions.of(get_fanpage(second)) == "problem"
    set_up_actions.take_back(COMMAND_LINE, "no_get_started", fanpage_id=first, now=now)
    assert read_conditions(now=now).of(get_fanpage(first)) == "problem"


def test_addresses_are_kept_checked_and_looked_at_anew_when_they_change(fresh_database, monkeypatch, now):
    with running_graph() as graph:
        graph.will(lambda handler: handler.answer(Reply(200 if "good" in handler.path else 404, {})))
        monkeypatch.setenv("OTN_GRAPH_URL", graph.url)
        monkeypatch.setattr(installation_checks, "is_public_host", lambda _host: True)
        monkeypatch.setattr(
            requests,
            "get",
            lambda url, **more: requests.request("GET", url.replace("https://shop.vn", graph.url), **more),
        )
        settings.cache_clear()
        set_up_actions.set_addresses(
            COMMAND_LINE, privacy="https://shop.vn/good", deletion="https://shop.vn/gone", now=now
        )
        installation_checks.check_installation(now=now)
    assert list_addresses()[Check.PRIVACY] == "https://shop.vn/good"
    addresses = next(s for s in read_set_up(None, heard_at=None, now=now) if s.step == Step.ADDRESSES)
    assert addresses.codes == (Finding.DELETION_UNREACHABLE,)
    set_up_actions.set_addresses(COMMAND_LINE, privacy="", deletion="https://shop.vn/new", now=now)
    addresses = next(s for s in read_set_up(None, heard_at=None, now=now) if s.step == Step.ADDRESSES)
    assert (addresses.codes, addresses.at) == ((), None)  # not checked yet
    set_up_actions.set_addresses(COMMAND_LINE, privacy="", deletion="https://shop.vn/new", now=now)
    with reading() as db:
        _first, noted = db.scalars(select(Activity).order_by(Activity.id)).all()  # unchanged is not noted
    assert noted.detail["before"]["privacy_address"] == "https://shop.vn/good"
    assert noted.detail["after"] == {"privacy_address": "", "deletion_address": "https://shop.vn/new"}


@pytest.mark.parametrize(
    "written", ["http://shop.vn", "shop.vn", "https://localhost", "javascript:alert(1)", "x" * 600]
)
def test_an_address_that_meta_would_not_take_is_refused(fresh_database, now, written):
    with pytest.raises(Invalid, match="https://"):
        set_up_actions.set_addresses(COMMAND_LINE, privacy=written, deletion="", now=now)


def test_an_address_inside_the_network_is_not_asked(monkeypatch):
    monkeypatch.setattr(requests, "get", lambda *_a, **_k: pytest.fail("it was asked"))
    for host in ("127.0.0.1", "10.0.0.7", "[::1]", "169.254.169.254"):
        found = installation_checks.check_address(
            f"https://{host}/", Finding.NO_PRIVACY_ADDRESS, Finding.PRIVACY_UNREACHABLE
        )
        assert found == Finding.PRIVACY_UNREACHABLE


def test_a_name_that_leads_inside_after_it_was_looked_up_brings_no_request_there(monkeypatch):
    monkeypatch.setattr(installation_checks, "is_public_host", lambda _host: True)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(20)  # else a check that does not connect would hang here

        def listen() -> None:
            with inside.accept()[0] as connection:
                heard.append(connection.recv(65536))

        listening = threading.Thread(target=listen)
        listening.start()
        found = installation_checks.check_address(
            f"https://localhost:{inside.getsockname()[1]}/erase-everything",
            Finding.NO_PRIVACY_ADDRESS,
            Finding.PRIVACY_UNREACHABLE,
        )
        listening.join()
    assert found == Finding.PRIVACY_UNREACHABLE
    assert heard[0].startswith(b"\x16\x03")  # TLS, whose certificate is looked at before anything is asked
    assert b"erase-everything" not in heard[0]


@pytest.mark.parametrize(
    ("signed", "unsigned", "found"),
    [(200, 403, None), (200, 200, Finding.WEBHOOK_FOREIGN), (403, 403, Finding.WEBHOOK_FOREIGN)],
)
def test_the_public_address_has_to_tell_signed_events_from_others(
    fresh_database, monkeypatch, signed, unsigned, found
):
    with running_graph() as graph:
        graph.will(
            lambda h: h.answer(Reply(signed if h.headers.get("X-Hub-Signature-256") else unsigned, {}))
        )
        monkeypatch.setenv("OTN_PUBLIC_URL", graph.url)
        settings.cache_clear()
        assert installation_checks.check_webhook() == found
    assert installation_checks.check_webhook() == Finding.WEBHOOK_UNREACHABLE


def test_the_clock_is_compared_with_the_platforms(fresh_database, monkeypatch, world):
    assert installation_checks.check_clock(utc_now) is None
    assert installation_checks.check_clock(lambda: utc_now() + timedelta(minutes=2)) == Finding.CLOCK_OFF


def test_the_kept_finding_is_of_the_database_clock_whoever_looked_last(world, monkeypatch, now):
    wrong = utc_now() + timedelta(minutes=2)
    for module in (core.clock, database_clock, installation_checks):
        monkeypatch.setattr(module, "utc_now", lambda: wrong, raising=False)
    installation_checks.check_installation(now=now)
    assert is_clock_off() == (not settings().is_postgresql)  # SQLite has no clock but this machine's


def test_a_fanpage_that_nobody_knows_is_not_marked(fresh_database, now):
    with pytest.raises(NotFound):
        set_up_actions.accept(COMMAND_LINE, "otn_unconfirmed", fanpage_id=7, now=now)
