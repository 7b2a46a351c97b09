"""Taps on "Notify Me": stored and applied like every other event, and each marks its own request."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from core.accounts.rules import SYSTEM
from core.consent.tapped_opt_ins import Tap
from core.db.engine import reading, transaction
from core.db.tables import Customer, Event, OptIn, Reply, Request
from core.inbox import actions, effects, processing
from core.inbox.taps import apply_taps
from tests.arrange import Arrange
from tests.inbox.platform import PAGE, read, rows, said, tap


@pytest.fixture
def store(fresh_database, now):
    def _store(*events, page_id=PAGE, at=now) -> int:
        return processing.store_events(read(*events, received_at=at, page_id=page_id))

    return _store


@pytest.fixture
def receive(store, now):
    """Stores events and applies all that waits; returns how many were new."""

    def _receive(*events) -> int:
        new = store(*events)
        while processing.apply_pending(limit=10, now=now):
            pass
        return new

    return _receive


def states() -> list[str]:
    return [event.state for event in rows(Event)]


def test_taps_on_several_requests_at_once(arrange: Arrange, now: datetime) -> None:
    fanpage_id = arrange.fanpage()
    topic_id = arrange.topic(fanpage_id)
    psids = {arrange.customer(fanpage_id, psid=psid): psid for psid in ("501", "502", "503")}
    people = list(psids)
    asked = [
        arrange.save(
            Request(
                fanpage_id=fanpage_id,
                customer_id=person,
                topic_id=topic_id,
                title=f"Lời hứa {person}",
                payload=f"otn.{person}",
                created_at=now,
            )
        )
        for person in people
    ]
    taps = [
        Tap(
            fanpage_id,
            psids[person],
            f"otn.{person}",
            None,
            f"hash-{person}",
            f"sealed-{person}",
            now + timedelta(seconds=person),
        )
        for person in people[:2]
    ]
    with transaction() as db:
        apply_taps(db, taps, now)
    with reading() as db:
        tapped = dict(db.execute(select(col(Request.id), col(Request.tapped_at))).all())
        promises = dict(db.execute(select(col(OptIn.request_id), col(OptIn.promise))).all())
    assert tapped == {
        asked[0]: now + timedelta(seconds=people[0]),
        asked[1]: now + timedelta(seconds=people[1]),
        asked[2]: None,
    }
    assert promises == {asked[0]: f"Lời hứa {people[0]}", asked[1]: f"Lời hứa {people[1]}"}


def test_a_tap_is_stored_first_and_applied_in_its_turn(fanpage, store, now):
    assert store(tap("25", now, "token-1")) == 1
    assert (states(), rows(OptIn)) == (["pending"], [])

    assert processing.apply_pending(limit=10, now=now) == 1

    assert (states(), rows(Event)[0].applied_at) == (["applied"], now)
    assert [opt_in.state for opt_in in rows(OptIn)] == ["available"]


def test_an_event_that_waits_keeps_its_place_among_those_of_the_same_moment(fanpage, store, now):
    store(*(said("25", now, f"số {n}", f"m_{n}") for n in range(20)), tap("26", now, "token-1"))

    waiting = [event.body for event in rows(Event)]
    assert [f"m_{n}" in body for n, body in enumerate(waiting[:20])] == [True] * 20
    assert "token-1" not in waiting[20]


def test_a_bug_in_applying_taps_costs_nothing_but_a_replay(fanpage, store, now, monkeypatch):
    def stumble(*_):
        raise RuntimeError("a bug")

    store(tap("25", now, "token-1"), said("26", now, "hi", "m_1"))
    with monkeypatch.context() as patch:
        patch.setattr(effects, "apply_taps", stumble)
        processing.apply_pending(limit=10, now=now)

    assert (states(), rows(OptIn)) == (["failed", "applied"], [])

    assert actions.replay(SYSTEM, now=now) == 1
    processing.apply_pending(limit=10, now=now)
    assert (states(), len(rows(OptIn))) == (["applied", "applied"], 1)


def test_what_is_rolled_back_is_not_missed_the_next_time(fanpage, store, now, monkeypatch):
    real = apply_taps

    def stumble(*given):
        real(*given)
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    store(tap("25", now, "token-1"))
    with monkeypatch.context() as patch:
        patch.setattr(effects, "apply_taps", stumble)
        with pytest.raises(OperationalError):
            processing.apply_pending(limit=10, now=now)
    assert (states(), rows(OptIn), rows(Customer)) == (["pending"], [], [])

    assert processing.apply_pending(limit=10, now=now) == 1
    assert len(rows(OptIn)) == 1


def test_new_ones_are_told_from_known_ones_within_a_group(fanpage, store, now):
    store(tap("25", now, "token-1"))
    said_before = said("30", now - timedelta(seconds=2), "hi", "m_1")

    group = [said_before, tap("25", now, "token-1"), tap("26", now, "token-2"), tap("27", now, "token-3")]

    assert store(*group) == 3
    assert store(*group) == 0


def test_when_the_database_is_gone_nothing_is_tried_twice(fanpage, store, now, monkeypatch):
    tries = []

    def gone(*_):
        tries.append(1)
        raise OperationalError("INSERT", {}, Exception("the connection is closed"))

    monkeypatch.setattr(processing, "insert_events", gone)
    with pytest.raises(OperationalError):
        store(tap("25", now, "token-1"))
    assert (len(tries), rows(Event)) == (1, [])


def test_the_same_tap_again_changes_nothing(fanpage, receive, now):
    receive(tap("25", now, "token-1"))

    assert receive(tap("25", now, "token-1"), tap("25", now, "token-1")) == 0
    assert (len(rows(Event)), len(rows(OptIn)), len(rows(Customer))) == (1, 1, 1)


def test_only_the_first_tap_on_a_request_is_thanked_for(arrange, fanpage, receive, now):
    customer = arrange.customer(fanpage, psid="25", window_closes_at=now + timedelta(hours=1))
    asked = Request(fanpage_id=fanpage, customer_id=customer, topic_id=arrange.topic(fanpage))
    values = {"payload": "otn.abc", "title": "Báo tôi", "after_text": "Cảm ơn!", "created_at": now}
    arrange.save(asked.sqlmodel_update(values))
    first, later = now - timedelta(minutes=2), now - timedelta(minutes=1)

    receive(tap("25", later, "token-2", "otn.abc"), tap("25", first, "token-1", "otn.abc"))
    receive(tap("25", now, "token-3", "otn.abc"))

    assert rows(Request)[0].tapped_at == first
    assert [reply.body for reply in rows(Reply)] == [{"text": "Cảm ơn!"}]
    assert {opt_in.promise for opt_in in rows(OptIn)} == {"Báo tôi"}
