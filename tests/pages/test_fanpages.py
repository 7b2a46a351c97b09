"""Set-up and health: connecting, pacing and repairing a fanpage the way an admin does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import utc_now
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Fanpage, Heartbeat
from core.encryption import encrypt
from core.fanpages import queries
from core.settings import settings
from tests.fanpages.conftest import PAGE_ID, TOKEN, page  # noqa: F401  (a fixture)
from tests.pages.shown import all_words

ROOT = Path(__file__).resolve().parents[2]


def test_an_admin_connects_a_fanpage_and_never_sees_its_token_again(page, panel):  # noqa: F811
    at = panel("setup")
    at.button(key="fanpage_add").click().run()
    at.text_input(key="fanpage_new_page_id").input(PAGE_ID)
    at.text_input(key="fanpage_new_token").input(TOKEN).run()
    at.button(key="fanpage_new_submit").click().run()
    assert not at.exception
    (connected,) = queries.list_fanpages()
    assert (connected.page_id, connected.name, connected.has_token) == (PAGE_ID, page.name, True)
    assert TOKEN not in all_words(at) + str(at.session_state)


def test_a_refused_token_is_said_in_the_dialog_and_changes_nothing(page, panel):  # noqa: F811
    page.refuses = {"me": (400, 190)}
    at = panel("setup")
    at.button(key="fanpage_add").click().run()
    at.text_input(key="fanpage_new_page_id").input(PAGE_ID)
    at.text_input(key="fanpage_new_token").input(TOKEN).run()
    at.button(key="fanpage_new_submit").click().run()
    assert "Facebook refused this access token (code 190)" in all_words(at)
    assert queries.list_fanpages() == []


def test_a_brisk_rate_needs_the_tick(arrange, panel):
    fanpage = arrange.fanpage()
    at = panel("setup")
    at.button(key="fanpage_rate_open").click().run()
    at.number_input(key="fanpage_rate_value").set_value(80).run()
    at.button(key="fanpage_rate_submit").click().run()
    assert "Above 40 messages per second" in all_words(at)
    assert queries.get_fanpage(fanpage).rate == 25
    at.checkbox(key="fanpage_rate_known").check().run()
    at.button(key="fanpage_rate_submit").click().run()
    assert queries.get_fanpage(fanpage).rate == 80


def test_stop_words_are_edited_and_never_emptied(arrange, panel):
    fanpage = arrange.fanpage()
    at = panel("setup")
    at.button(key="fanpage_stop_words_open").click().run()
    at.text_area(key="fanpage_stop_words_listed").input(" \n").run()
    at.button(key="fanpage_stop_words_submit").click().run()
    assert "Keep at least one word" in all_words(at)
    at.text_area(key="fanpage_stop_words_listed").input("nghỉ\nstop").run()
    at.button(key="fanpage_stop_words_submit").click().run()
    assert not at.exception
    assert queries.get_fanpage(fanpage).stop_words == ("nghỉ", "stop")


@pytest.fixture
def stopped(page, arrange, now) -> int:  # noqa: F811
    fanpage = arrange.fanpage(page_id=PAGE_ID, token_sealed=encrypt(TOKEN))
    topic = arrange.topic(fanpage)
    arrange.save(
        Broadcast(
            fanpage_id=fanpage,
            topic_id=topic,
            name="x",
            content={},
            state="paused",
            pause_code="token_invalid",
            created_at=now,
            updated_at=now,
        )
    )
    with transaction() as db:
        row = db.get(Fanpage, fanpage)
        row.stopped_code, row.stopped_at = "token_invalid", now
    return fanpage


def test_a_stopped_fanpage_says_why_and_goes_on_once_repaired(stopped, panel):
    at = panel("setup")
    assert "access token is no longer valid" in all_words(at)
    at.button(key="fanpage_resume_open").click().run()
    assert "1 broadcast resumes" in all_words(at)
    at.button(key="fanpage_resume_confirm").click().run()
    assert not at.exception
    assert queries.get_fanpage(stopped).stopped_code is None
    with reading() as db:
        assert db.get(Broadcast, 1).state == "sending"


def test_what_is_not_repaired_is_told_and_stays_stopped(stopped, page, panel):  # noqa: F811
    page.refuses = {"me": (400, 190)}
    at = panel("setup")
    at.button(key="fanpage_resume_open").click().run()
    at.button(key="fanpage_resume_confirm").click().run()
    assert "no longer accepts the access token" in all_words(at)
    assert queries.get_fanpage(stopped).stopped_code == "token_invalid"


def test_a_viewer_sees_health_but_no_set_up(arrange, panel):
    arrange.fanpage()
    assert "doesn't allow this" in all_words(panel("setup", role="viewer"))
    at = panel("health", role="editor")
    assert not at.exception
    assert not [button for button in at.button if button.key == "health_check"]


def test_health_shows_problems_in_words_and_who_is_alive(arrange, panel):
    arrange.fanpage(problems=["not_subscribed"])
    with transaction() as db:
        beat = {"at": utc_now(), "started_at": utc_now() - timedelta(hours=1)}
        db.add(Heartbeat(process="worker host:1", **beat))
    at = panel("health")
    assert "doesn't receive all events" in all_words(at)
    backup = "–" if settings().is_postgresql else "None yet"  # PostgreSQL has a way of its own
    assert [card.value for card in at.metric] == ["Running", "Not running", "0", backup, "0"]
    assert "The worker is not running" not in all_words(at)


def test_without_a_worker_health_says_what_that_means(arrange, panel):
    with transaction() as db:
        long_ago = utc_now() - timedelta(minutes=5)
        db.add(Heartbeat(process="worker host:1", at=long_ago, started_at=long_ago))
    assert "The worker is not running" in all_words(panel("health"))


def test_checking_from_the_health_page_keeps_what_was_found(page, arrange, panel):  # noqa: F811
    fanpage = arrange.fanpage(page_id=PAGE_ID, token_sealed=encrypt(TOKEN))
    page.refuses = {"subscribed_apps": (403, 200)}
    at = panel("health")
    at.button(key="health_check").click().run()
    assert not at.exception
    assert queries.get_fanpage(fanpage).problems == ("not_subscribed",)


def test_a_change_of_zone_shows_what_is_planned_and_asks_what_it_keeps(arrange, panel):
    fanpage = arrange.fanpage()
    nine = utc_now().replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=2)  # in Hanoi
    times = {"due_at": nine, "created_at": arrange.now, "updated_at": arrange.now}
    topic_id = arrange.topic(fanpage)
    row = Broadcast(fanpage_id=fanpage, topic_id=topic_id, name="Tết", content={}, state="scheduled", **times)
    scheduled = arrange.save(row)
    at = panel("setup")
    at.button(key="fanpage_zone_open").click().run()
    assert at.button(key="fanpage_zone_submit").disabled
    at.selectbox(key="fanpage_zone_value").select("Asia/Dubai").run()
    assert "09:00, then" in all_words(at)
    assert ", 06:00" in all_words(at)  # the moment, which is offered first
    at.radio(key="fanpage_zone_keep").set_value("local-time").run()
    at.button(key="fanpage_zone_submit").click().run()
    assert not at.exception
    assert queries.get_fanpage(fanpage).timezone == "Asia/Dubai"
    with reading() as db:
        assert db.get(Broadcast, scheduled).due_at == nine + timedelta(hours=3)
