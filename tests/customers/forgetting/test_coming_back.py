"""Whoever was forgotten comes back by what they do themselves, later: by no old file and no late webhook."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import event, text
from starlette.testclient import TestClient

from core.accounts.rules import COMMAND_LINE
from core.consent.imports import FORGOTTEN, import_opt_ins
from core.consent.withdrawal_actions import withdraw_person
from core.db.engine import engine, transaction
from core.forgetting.actions import forget
from core.inbox import actions as inbox
from core.inbox import processing
from core.inbox.early_events import requeue_early_events
from core.inbox.event_parser import parse_body
from core.inbox.event_store import insert_events
from core.inbox.forgotten_filter import drop_forgotten
from tests.customers.forgetting.people import PSID, TOKEN, Shop, everything_in
from tests.inbox.platform import PAGE, body, envelope, said, signed, tap
from webhook_server.application import create_app

BEFORE, AFTER = timedelta(seconds=-1), timedelta(seconds=1)


def sheet(*rows: tuple[str, str, datetime]) -> bytes:
    lines = [f"{psid},{token},{at.isoformat()}" for psid, token, at in rows]
    return "\n".join(["psid,token,consented_at", *lines]).encode()


@pytest.fixture
def gone(shop: Shop) -> Shop:
    """Forgotten a minute ago."""
    shop.well_known()
    shop.forget()
    shop.wait(minutes=1)
    return shop


def brought(shop: Shop, *events: dict) -> int:
    return shop.told(*events)


def test_no_file_brings_them_back(gone: Shop, fresh_database):
    minute = timedelta(minutes=1)
    old, newer = gone.now - timedelta(days=9), gone.now - minute / 2
    data = sheet((PSID, TOKEN, old), ("25", "token-of-25", old), (PSID, "a-new-token", newer))
    given = {"topic_id": gone.topic_id, "data": data, "now": gone.now}
    checked = import_opt_ins(COMMAND_LINE, gone.fanpage_id, **given, only_check=True)
    done = import_opt_ins(COMMAND_LINE, gone.fanpage_id, **given)
    for outcome in (checked, done):
        assert (outcome.imported, outcome.duplicates) == (1, 0)
        assert [(each.row, each.reason) for each in outcome.rejected] == [(2, FORGOTTEN), (4, FORGOTTEN)]
    assert "forgotten" in FORGOTTEN
    assert PSID not in everything_in(fresh_database)


def test_a_file_of_nobody_else_imports_nothing(gone: Shop, fresh_database):
    customers = fresh_database.count("customer")
    data = sheet((PSID, TOKEN, gone.now - timedelta(days=9)))
    done = import_opt_ins(COMMAND_LINE, gone.fanpage_id, topic_id=gone.topic_id, data=data, now=gone.now)
    assert (done.imported, done.new_customers, len(done.rejected)) == (0, 0, 1)
    assert fresh_database.count("customer") == customers


def test_a_no_of_theirs_makes_no_customer(gone: Shop, fresh_database):
    assert withdraw_person(COMMAND_LINE, gone.fanpage_id, PSID, now=gone.now) == 0
    assert PSID not in everything_in(fresh_database)


def test_they_are_forgotten_for_one_fanpage_only(gone: Shop, arrange):
    other = arrange.fanpage()
    topic = arrange.topic(other)
    data = sheet((PSID, TOKEN, gone.now - timedelta(days=9)))
    assert import_opt_ins(COMMAND_LINE, other, topic_id=topic, data=data, now=gone.now).imported == 1


@pytest.mark.parametrize(
    "late",
    [
        lambda at: said(PSID, at + BEFORE, "hello again", "m_late"),
        lambda at: tap(PSID, at + BEFORE, "token-late"),
        lambda at: said(PSID, at, "at that very moment", "m_same"),
        lambda at: {**said(PSID, at, "of no known time", "m_none"), "timestamp": None},
        lambda at: {**said(PSID, at, "of no time", "m_odd"), "timestamp": "yesterday"},
    ],
)
def test_what_happened_before_is_answered_and_not_kept(gone: Shop, fresh_database, late):
    forgotten_at = gone.now - timedelta(minutes=1)
    events = fresh_database.count("event")
    with TestClient(create_app()) as client:
        content = body(late(forgotten_at))
        assert client.post("/webhook", content=content, headers=signed(content)).status_code == 200
    assert fresh_database.count("event") == events
    assert PSID not in everything_in(fresh_database)


def test_what_concerns_them_without_their_doing_is_not_kept(gone: Shop, fresh_database):
    at = int(gone.now.timestamp() * 1000)
    theirs = {"sender": {"id": PSID}, "recipient": {"id": PAGE}, "timestamp": at}
    ours = {"sender": {"id": PAGE}, "recipient": {"id": PSID}, "timestamp": at}
    kept = brought(
        gone,
        {**theirs, "read": {"watermark": at}},
        {**theirs, "delivery": {"mids": ["m_zymunt_2"], "watermark": at}},
        {
            **ours,
            "message": {"is_echo": True, "mid": "m_zymunt_2", "text": "x", "metadata": "otn.delivery.1"},
        },
        {**ours, "reaction": {"reaction": "love", "action": "react", "mid": "m_said"}},
    )
    assert (kept, PSID in everything_in(fresh_database)) == (0, False)


def test_a_message_of_theirs_makes_a_new_customer(gone: Shop, fresh_database):
    at = gone.now - timedelta(seconds=30)
    assert (
        brought(gone, said(PSID, at, "me again", "m_new"), said(PSID, at - timedelta(minutes=1), "x", "m_x"))
        == 1
    )
    ((id_, name),) = fresh_database.rows(f"SELECT id, first_name FROM customer WHERE psid = '{PSID}'")
    assert (id_ > gone.customer_id, name) == (True, None)
    assert fresh_database.rows(f"SELECT count(*) FROM opt_in WHERE customer_id = {id_}") == [(0,)]
    read = {"sender": {"id": PSID}, "recipient": {"id": PAGE}, "read": {"watermark": 1}}
    assert brought(gone, {**read, "timestamp": int(gone.now.timestamp() * 1000)}) == 1


def test_a_tap_of_theirs_is_a_new_consent_and_an_old_file_still_is_none(gone: Shop, fresh_database):
    brought(gone, tap(PSID, gone.now - timedelta(seconds=30), "token-new", f"topic:{gone.topic_id}"))
    held = f"SELECT state, topic_id FROM opt_in JOIN customer c ON c.id = customer_id WHERE c.psid = '{PSID}'"
    assert fresh_database.rows(held) == [("available", gone.topic_id)]
    data = sheet((PSID, TOKEN, gone.now - timedelta(days=9)))
    done = import_opt_ins(COMMAND_LINE, gone.fanpage_id, topic_id=gone.topic_id, data=data, now=gone.now)
    assert (done.imported, len(done.rejected)) == (0, 1)


def test_who_came_back_may_be_forgotten_again(gone: Shop, fresh_database):
    at = gone.now - timedelta(seconds=30)
    brought(gone, said(PSID, at, "me again", "m_new"))
    gone.wait(minutes=1)
    assert gone.forget() == 1
    assert brought(gone, said(PSID, at, "me again", "m_new")) == 0
    assert fresh_database.count("forgotten") == 1
    assert PSID not in everything_in(fresh_database)


def test_a_tap_that_came_before_its_fanpage_goes_too(fresh_database, arrange, now):
    processing.store_events(parse_body(body(tap(PSID, now, "token-early")), now))
    processing.apply_pending(limit=10, now=now)
    assert fresh_database.rows("SELECT note FROM event") == [("no fanpage of ours",)]
    fanpage_id = arrange.fanpage(page_id=PAGE)
    assert forget(COMMAND_LINE, fanpage_id, PSID, now=now) == 0
    with transaction() as db:
        assert requeue_early_events(db, PAGE) == 0
    assert PSID not in everything_in(fresh_database)


def test_what_waits_or_failed_is_never_replayed(shop: Shop, fresh_database):
    shop.told(said(PSID, shop.now, "hello", "m_1"), apply=False)
    shop.told(tap(PSID, shop.now, "token-failed"), apply=False)
    fresh_database.run("UPDATE event SET state = 'failed' WHERE kind = 'opt_in'")
    shop.forget()
    assert inbox.replay(COMMAND_LINE, now=shop.now) == 0
    assert processing.apply_pending(limit=10, now=shop.now) == 0
    assert fresh_database.count("event") == 0


def test_others_of_the_same_webhook_are_kept(gone: Shop, fresh_database):
    at = gone.now - timedelta(minutes=5)
    assert brought(gone, said(PSID, at, "late", "m_late"), said("26", at, "hello", "m_26")) == 1
    assert fresh_database.rows("SELECT psid FROM event ORDER BY id") == [("26",)]


@pytest.mark.sqlite
def test_a_door_asks_one_small_thing_while_nobody_was_forgotten(shop: Shop):
    asked: list[str] = []

    def heard(_connection, _cursor, statement, *_):
        asked.append(statement)

    shop.told(said("25", shop.now, "hi", "m_0"))
    event.listen(engine(), "before_cursor_execute", heard)
    shop.told(*(said(str(n), shop.now, "hi", f"m_{n}") for n in range(26, 90)), apply=False)
    event.remove(engine(), "before_cursor_execute", heard)
    assert [each for each in asked if "forgotten" in each] == ["SELECT sealed FROM forgotten_key"]
    assert len(asked) == 3  # BEGIN, this, and the events


@pytest.mark.postgresql
def test_nobody_slips_in_while_they_are_being_forgotten(shop: Shop, fresh_database):
    """A webhook is half stored when staff forget the person: forgetting waits, and finds it."""
    late = parse_body(body(said(PSID, shop.now + BEFORE, "hello", "m_half")), shop.now)
    forgetting = Thread(target=shop.forget)
    with transaction() as db:
        assert len(drop_forgotten(db, late)) == 1
        insert_events(db, late)
        forgetting.start()
        waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not fresh_database.rows(waits):
            assert forgetting.is_alive()
        db.execute(text("SELECT 1"))
    forgetting.join()
    assert PSID not in everything_in(fresh_database)


def test_the_platform_may_repeat_it_as_often_as_it_likes(gone: Shop, fresh_database):
    content = envelope(said(PSID, gone.now - timedelta(minutes=5), "late", "m_late"))["entry"][0]["messaging"]
    assert [brought(gone, *content) for _ in range(3)] == [0, 0, 0]
    assert fresh_database.count("event") == 0
