"""Health checks and going on after a stop."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from core.accounts.rules import SYSTEM
from core.db.engine import reading, transaction
from core.db.tables import Activity, Broadcast, Event, Fanpage, Heartbeat
from core.encryption import encrypt
from core.errors import WrongState
from core.fanpages import actions, health_actions, queries, rules
from core.fanpages.rules import WEBHOOK_FIELDS, HealthProblem, missing_fields, review_problem
from core.settings import settings
from tests.fanpages.conftest import PAGE_ID, TOKEN
from tests.processes import free_port


@pytest.fixture
def fanpage(arrange, page) -> int:
    return arrange.fanpage(page_id=PAGE_ID, token_sealed=encrypt(TOKEN))


@pytest.fixture
def heard(arrange, fanpage, now) -> None:
    """A webhook has come in from the fanpage."""
    arrange.save(
        Event(page_id=PAGE_ID, kind="read", dedupe_key="k", occurred_at=now, received_at=now, body="{}")
    )


def test_a_healthy_fanpage_has_no_problems_and_says_when_it_was_looked_at(page, fanpage, heard, now):
    later = now + timedelta(days=9)
    assert health_actions.check_health(fanpage, now=later) == []
    assert queries.get_fanpage(fanpage).checked_at == later


def test_a_fanpage_that_stays_silent_from_the_start_is_noticed_after_an_hour(page, fanpage, now):
    assert health_actions.check_health(fanpage, now=now) == []
    assert health_actions.check_health(fanpage, now=now + timedelta(minutes=61)) == ["no_webhook_yet"]


def test_webhook_fields_that_went_missing_are_asked_for_again(page, fanpage, heard, now):
    page.fields = ["messages", "feed"]
    assert health_actions.check_health(fanpage, now=now) == []
    assert set(page.fields) == {*WEBHOOK_FIELDS, "feed"}
    posts = page.calls.count(f"POST {PAGE_ID}/subscribed_apps")
    health_actions.check_health(fanpage, now=now)
    assert page.calls.count(f"POST {PAGE_ID}/subscribed_apps") == posts == 1


def test_a_get_started_of_another_tool_is_left_alone_by_a_check(page, fanpage, heard, now):
    page.get_started = "OTHER_TOOL"
    health_actions.check_health(fanpage, now=now)
    assert page.get_started == "OTHER_TOOL"


@pytest.mark.parametrize(
    ("edge", "answer", "found"),
    [
        ("me", (400, 190), ["token_invalid"]),
        ("me", (403, 10), ["refused"]),
        ("me", (500, 2), ["unreachable"]),
        ("me", (400, 80001), ["unreachable"]),
        ("subscribed_apps", (403, 200), ["not_subscribed"]),
        ("messenger_profile", (400, 10), ["refused"]),
        ("messenger_profile", (403, 230), ["refused"]),
        ("messenger_profile", (400, 283), ["refused"]),
        ("messenger_profile", (400, 100), ["no_get_started"]),
        ("messenger_profile", (400, 2), ["unreachable"]),
        ("messaging_feature_review", (400, 10), []),
    ],
)
def test_each_refusal_becomes_the_problem_it_means(page, fanpage, heard, now, edge, answer, found):
    page.refuses = {edge: answer}
    assert health_actions.check_health(fanpage, now=now) == found
    assert queries.get_fanpage(fanpage).problems == tuple(found)


def test_a_token_that_speaks_for_another_page_is_noticed(page, fanpage, now):
    page.page_id = "42"
    assert health_actions.check_health(fanpage, now=now) == ["wrong_page"]


def test_an_unreachable_platform_is_one_problem_not_many(page, fanpage, now, monkeypatch):
    monkeypatch.setenv("OTN_GRAPH_URL", f"http://127.0.0.1:{free_port()}")
    settings.cache_clear()
    assert health_actions.check_health(fanpage, now=now) == ["unreachable"]


def test_without_an_app_secret_no_webhook_can_come_in(page, fanpage, heard, now, monkeypatch):
    monkeypatch.setenv("OTN_APP_SECRET", "")
    settings.cache_clear()
    assert health_actions.check_health(fanpage, now=now) == ["no_app_secret"]


def test_missing_and_foreign_tokens_are_problems_of_their_own(page, arrange, now):
    bare = arrange.fanpage(token_sealed=None)
    foreign = arrange.fanpage(token_sealed="gAAAAnot-ours")
    assert health_actions.check_all(now=now) == {bare: ["no_token"], foreign: ["token_sealed"]}


def test_the_clock_checks_a_few_fanpages_at_a_time_until_none_is_due(page, arrange, now):
    made = [arrange.fanpage(token_sealed=None) for _ in range(5)]
    parts = [list(health_actions.check_due_fanpages(now=now)) for _ in range(3)]
    assert [len(part) for part in parts] == [3, 2, 0]
    assert sorted(one for part in parts for one in part) == made
    later = now + health_actions.CHECKED_EVERY
    health_actions.check_health(made[0], now=later)
    assert made[0] not in health_actions.check_due_fanpages(now=later)


def test_fanpages_whose_check_fails_keep_no_others_waiting(page, arrange, now, monkeypatch):
    made = [arrange.fanpage(token_sealed=None) for _ in range(6)]
    check = health_actions.check_health

    def stumbling(fanpage_id, *, now):
        return {}["a fault of ours"] if fanpage_id in made[:4] else check(fanpage_id, now=now)

    monkeypatch.setattr(health_actions, "check_health", stumbling)
    checked = {one for _ in range(200) for one in health_actions.check_due_fanpages(now=now)}
    assert checked == set(made[4:])


@pytest.mark.parametrize(
    ("reviews", "trouble"),
    [
        ([], None),
        ([("gender", "rejected")], None),
        ([("one_time_notification", "approved")], None),
        ([("one_time_notification", "limited")], None),
        ([("one_time_notification", "rejected")], HealthProblem.OTN_REJECTED),
        ([("one_time_notif", "pending")], HealthProblem.OTN_PENDING),
        ([("one_time_notification", "rejected"), ("one_time_notif", "approved")], None),
    ],
)
def test_a_review_says_no_only_when_it_says_so(reviews, trouble):
    assert review_problem(reviews) == trouble


@given(st.sets(st.sampled_from([*WEBHOOK_FIELDS, "feed", "mention"])))
def test_fields_asked_for_complete_what_is_there(subscribed):
    missing = missing_fields(subscribed)
    assert not missing_fields([*subscribed, *missing])
    assert not set(missing) & subscribed


def test_every_problem_has_its_sentence():
    assert set(rules.PROBLEMS) == set(HealthProblem)
    assert rules.describe_problem("unheard of")


def broadcast(arrange, fanpage, now, **more) -> int:
    values = {"topic_id": arrange.topic(fanpage, name=f"Chủ đề {more}"), "name": "x", "content": {}}
    return arrange.save(Broadcast(fanpage_id=fanpage, created_at=now, updated_at=now, **values, **more))


def stop(fanpage, now, code="token_invalid"):
    with transaction() as db:
        row = db.get(Fanpage, fanpage)
        row.stopped_code, row.stopped_at = code, now


def test_a_repaired_fanpage_goes_on_with_what_the_stop_had_paused(page, arrange, fanpage, now):
    stop(fanpage, now)
    by_stop = broadcast(arrange, fanpage, now, state="paused", pause_code="token_invalid")
    by_person = broadcast(arrange, fanpage, now, state="paused")
    elsewhere = broadcast(arrange, arrange.fanpage(), now, state="paused", pause_code="token_invalid")
    assert queries.count_paused_by_stop(fanpage) == 1
    assert actions.resume_after_repair(SYSTEM, fanpage, now=now) == 1
    with reading() as db:
        states = {id_: db.get(Broadcast, id_).state for id_ in (by_stop, by_person, elsewhere)}
        assert states == {by_stop: "sending", by_person: "paused", elsewhere: "paused"}
        assert db.get(Broadcast, by_stop).pause_code is None
        assert [a.verb for a in db.exec(select(Activity)).all()] == ["fanpage.resume"]
    assert queries.get_fanpage(fanpage).stopped_code is None


def test_what_is_not_repaired_stays_stopped(page, arrange, fanpage, now):
    stop(fanpage, now)
    paused = broadcast(arrange, fanpage, now, state="paused", pause_code="token_invalid")
    page.refuses = {"me": (400, 190)}
    with pytest.raises(WrongState, match="no longer accepts the access token"):
        actions.resume_after_repair(SYSTEM, fanpage, now=now)
    assert queries.get_fanpage(fanpage).stopped_code == "token_invalid"
    with reading() as db:
        assert db.get(Broadcast, paused).state == "paused"


def test_resuming_twice_or_without_a_stop_changes_nothing(page, arrange, fanpage, now):
    broadcast(arrange, fanpage, now, state="paused", pause_code="token_invalid")
    assert actions.resume_after_repair(SYSTEM, fanpage, now=now) == 0
    with reading() as db:
        assert db.exec(select(Activity)).all() == []


def test_signs_of_life_are_read_by_kind(arrange, now):
    with transaction() as db:
        db.add(Heartbeat(process="worker host:1", at=now, started_at=now))
    (seen,) = queries.list_processes()
    assert (seen.kind, seen.name, seen.at) == ("worker", "host:1", now)
