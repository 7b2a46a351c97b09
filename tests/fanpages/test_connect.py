"""Connecting a fanpage: the token is tried, the row written, the platform furnished."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from core.accounts.rules import SYSTEM, Actor, Role
from core.db.engine import reading
from core.db.tables import Activity, Event, Fanpage, FanpageRate, OptIn
from core.encryption import decrypt
from core.errors import Invalid, NotAllowed, NotFound
from core.fanpages import actions, health_actions, queries
from core.fanpages.rules import WEBHOOK_FIELDS
from core.inbox import processing
from core.settings import settings
from tests.fanpages.conftest import PAGE_ID, TOKEN
from tests.inbox.platform import read, tap
from tests.processes import free_port


def connect(now, **more):
    values = {"page_id": PAGE_ID, "name": "Tiệm Hoa Mai", "token": TOKEN, "now": now}
    return actions.connect(SYSTEM, **{**values, **more})


def refusal(now, **more) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        connect(now, **more)
    return [(each.field, each.message) for each in refused.value.problems]


def test_a_new_fanpage_is_checked_kept_sealed_and_furnished(page, now):
    view = connect(now, rate=30, zone="Asia/Tokyo")
    assert (view.page_id, view.name, view.rate, view.timezone) == (PAGE_ID, "Tiệm Hoa Mai", 30, "Asia/Tokyo")
    assert (view.problems, view.checked_at, view.has_token, view.stopped_code) == ((), now, True, None)
    assert page.fields == list(WEBHOOK_FIELDS)
    assert page.get_started == "GET_STARTED"
    assert page.calls[0] == "GET me"
    with reading() as db:
        row = db.get(Fanpage, view.id)
        assert TOKEN not in row.token_sealed
        assert decrypt(row.token_sealed) == TOKEN
        assert db.get(FanpageRate, view.id).factor == 1.0
        (noted,) = db.exec(select(Activity)).all()
        assert (noted.verb, noted.subject, noted.fanpage_id) == ("fanpage.connect", "Tiệm Hoa Mai", view.id)


def test_connecting_again_renews_the_token_and_keeps_the_rest(page, now):
    first = connect(now, rate=30, zone="Asia/Tokyo")
    again = connect(now + timedelta(days=1), token="EAABnewer", name="Hoa Mai")
    assert again.id == first.id
    assert (again.rate, again.timezone, again.name) == (30, "Asia/Tokyo", "Hoa Mai")
    with reading() as db:
        assert decrypt(db.get(Fanpage, first.id).token_sealed) == "EAABnewer"
        noted = db.exec(select(Activity).where(Activity.verb == "fanpage.connect_again")).one()
        assert (noted.detail["before"]["name"], noted.detail["after"]["name"]) == ("Tiệm Hoa Mai", "Hoa Mai")
        assert "EAAB" not in str(noted.detail)
    assert [view.id for view in queries.list_fanpages()] == [first.id]


def test_taps_that_came_before_the_fanpage_are_in_the_ledger_once_it_is_connected(fresh_database, now):
    for page_id in (PAGE_ID, "999"):
        tapped = tap("2501", now, f"token-{page_id}", page_id=page_id)
        processing.store_events(read(tapped, received_at=now, page_id=page_id))
    processing.apply_pending(limit=10, now=now)
    view = connect(now + timedelta(days=40), check=False)
    processing.apply_pending(limit=10, now=now + timedelta(days=40))
    with reading() as db:
        assert [row.fanpage_id for row in db.exec(select(OptIn))] == [view.id]
        assert {row.page_id: row.state for row in db.exec(select(Event))} == {
            PAGE_ID: "applied",
            "999": "ignored",
        }
        assert db.exec(select(Activity)).one().detail == {"rate": 25, "early_events": 1}


def test_without_a_name_the_fanpages_own_is_taken(page, now):
    assert connect(now, name="").name == page.name
    assert refusal(now, name="", check=False)[0][0] == "name"


def test_an_unchecked_connection_asks_nobody(page, now):
    view = connect(now, check=False)
    assert page.calls == []
    assert (view.problems, view.checked_at) == ((), None)


def test_a_token_of_another_fanpage_changes_nothing(page, now):
    page.page_id = "42"
    ((field, message),) = refusal(now)
    assert field == "token"
    assert "42" in message
    assert queries.list_fanpages() == []


def test_a_refused_token_changes_nothing_and_is_not_repeated(page, now):
    page.refuses = {"me": (400, 190)}
    ((field, message),) = refusal(now)
    assert field == "token"
    assert "190" in message
    assert TOKEN not in message
    assert queries.list_fanpages() == []


def test_an_unreachable_platform_is_said_to_be_that(page, now, monkeypatch):
    monkeypatch.setenv("OTN_GRAPH_URL", f"http://127.0.0.1:{free_port()}")
    settings.cache_clear()
    ((_, message),) = refusal(now)
    assert "could not be reached" in message


def test_what_fails_after_the_connection_is_a_problem_and_no_error(page, now):
    page.refuses = {"subscribed_apps": (403, 200), "messenger_profile": (400, 10)}
    assert connect(now).problems == ("not_subscribed", "refused")


def test_another_tools_get_started_is_taken_over_when_connecting(page, now):
    page.get_started = "OTHER_TOOL"
    connect(now)
    assert page.get_started == "GET_STARTED"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page_id", ""),
        ("page_id", "tiem.hoa"),
        ("page_id", "1" * 65),
        ("token", ""),
        ("token", "two words"),
        ("token", "hàng"),
        ("name", "x" * 201),
        ("zone", "Asia/Saigon2"),
        ("zone", "../etc"),
        ("rate", 0),
        ("rate", 301),
        ("rate", 41),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(page, now, field, value):
    assert [name for name, _ in refusal(now, **{field: value})] == [field]
    assert page.calls == []


def test_a_brisk_rate_is_for_who_says_they_know(page, now):
    assert connect(now, rate=200, i_know=True).rate == 200


def test_only_admins_connect_and_pace(page, now):
    sender = Actor(None, "lan", Role.SENDER)
    with pytest.raises(NotAllowed):
        actions.connect(sender, page_id=PAGE_ID, name="x", token=TOKEN, now=now)
    fanpage = connect(now)
    with pytest.raises(NotAllowed):
        actions.set_rate(sender, fanpage.id, 10, now=now)
    with pytest.raises(NotAllowed):
        actions.resume_after_repair(sender, fanpage.id, now=now)


def test_the_rate_is_set_within_limits(page, now):
    fanpage = connect(now)
    assert actions.set_rate(SYSTEM, fanpage.id, 10, now=now).rate == 10
    for rate in (0, 301, 41):
        with pytest.raises(Invalid):
            actions.set_rate(SYSTEM, fanpage.id, rate, now=now)
    assert actions.set_rate(SYSTEM, fanpage.id, 300, i_know=True, now=now).rate == 300
    assert queries.get_fanpage(fanpage.id).rate == 300


def test_what_is_not_there_is_not_found(page, now):
    with pytest.raises(NotFound):
        queries.get_fanpage(7)
    with pytest.raises(NotFound):
        actions.set_rate(SYSTEM, 7, 10, now=now)
    with pytest.raises(NotFound):
        health_actions.check_health(7, now=now)
    assert queries.find_by_page_id("7") is None
    assert queries.find_by_page_id(connect(now).page_id).name == "Tiệm Hoa Mai"


def test_real_fanpages_come_before_the_demo(page, now):
    connect(now, page_id="1", name="A", is_demo=True, check=False)
    connect(now, page_id="2", name="B", check=False)
    assert [view.page_id for view in queries.list_fanpages()] == ["2", "1"]
