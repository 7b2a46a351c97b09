"""Taps that go straight to the ledger: in the transaction that stores them, and never out of order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from core import bulk
from core.database import reading
from core.inbox import actions, retention, straight
from core.inbox.actions import Kept
from core.inbox.rules import EventState
from core.tables import Customer, Event, OptIn, Reply, Request
from tests.inbox.platform import PAGE, read, said, tap


@pytest.fixture
def fanpage(arrange) -> int:
    return arrange.fanpage(page_id=PAGE)


@pytest.fixture
def store(fresh_database, now):
    def _store(*events, page_id=PAGE, at=now) -> Kept:
        return actions.store(read(*events, received_at=at, page_id=page_id))

    return _store


def rows(table) -> list:
    with reading() as db:
        return list(db.exec(select(table).order_by(table.id)))


def states() -> list[str]:
    return [event.state for event in rows(Event)]


def test_a_tap_is_in_the_ledger_as_soon_as_it_is_stored(fanpage, store, now):
    assert store(tap("25", now, "token-1")) == Kept(new=1, waiting=0)

    assert states() == ["applied"]
    assert rows(Event)[0].applied_at == now
    assert [opt_in.state for opt_in in rows(OptIn)] == ["available"]


def test_what_the_person_said_before_comes_first(fanpage, store, now):
    store(said("25", now - timedelta(seconds=2), "hi", "m_1"))

    assert store(tap("25", now, "token-1"), tap("26", now, "token-2")) == Kept(new=2, waiting=1)
    assert sorted(states()) == ["applied", "pending", "pending"]

    assert actions.apply_pending(limit=10, now=now) == 2
    assert set(states()) == {"applied"}
    assert len(rows(OptIn)) == 2


def test_what_the_person_says_in_the_same_group_comes_in_its_order(fanpage, store, now):
    told = [said("25", now - timedelta(seconds=1), "hi", "m_1"), tap("25", now, "token-1")]

    assert store(*told, tap("26", now, "token-2")) == Kept(new=3, waiting=2)


def test_an_event_that_waits_keeps_its_place_among_those_of_the_same_moment(fanpage, store, now):
    store(*(said("25", now, f"số {n}", f"m_{n}") for n in range(20)), tap("26", now, "token-1"))

    waiting = [event.body for event in rows(Event) if event.state == "pending"]
    assert [f"m_{n}" in body for n, body in enumerate(waiting)] == [True] * 20


def test_a_tap_for_an_unknown_fanpage_waits_for_its_turn(store, now):
    assert store(tap("25", now, "token-1", page_id="999"), page_id="999").waiting == 1


def test_a_failure_on_the_straight_way_costs_nothing_but_time(fanpage, store, now, monkeypatch):
    def stumble(*_):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(actions, "apply_straight", stumble)
        assert store(tap("25", now, "token-1")) == Kept(new=1, waiting=1)
    assert (states(), rows(OptIn)) == (["pending"], [])

    actions.apply_pending(limit=10, now=now)
    assert (states(), len(rows(OptIn))) == (["applied"], 1)


def test_what_is_rolled_back_is_not_missed_the_next_time(fanpage, store, now, monkeypatch):
    """On SQLite the trigger that does the work is made, and so forgotten, with the transaction."""
    real = actions.apply_straight

    def stumble(*given):
        real(*given)
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(actions, "apply_straight", stumble)
        with pytest.raises(OperationalError):
            store(tap("25", now, "token-1"))
    assert (rows(Event), rows(OptIn), rows(Customer)) == ([], [], [])

    assert store(tap("25", now, "token-1")) == Kept(new=1, waiting=0)
    assert len(rows(OptIn)) == 1


def test_new_ones_are_told_from_known_ones_within_a_group(fanpage, store, now):
    store(tap("25", now, "token-1"))
    said_before = said("30", now - timedelta(seconds=2), "hi", "m_1")

    group = [said_before, tap("25", now, "token-1"), tap("26", now, "token-2"), tap("27", now, "token-3")]

    assert store(*group) == Kept(new=3, waiting=1)
    assert store(*group) == Kept(new=0, waiting=1)


def test_when_the_database_is_gone_nothing_is_tried_twice(fanpage, store, now, monkeypatch):
    tries = []

    def gone(*_):
        tries.append(1)
        raise OperationalError("INSERT", {}, Exception("the connection is closed"))

    monkeypatch.setattr(actions, "apply_straight", gone)
    with pytest.raises(OperationalError):
        store(tap("25", now, "token-1"))
    assert (len(tries), rows(Event)) == (1, [])


def test_the_same_tap_again_changes_nothing(fanpage, store, now):
    store(tap("25", now, "token-1"))

    assert store(tap("25", now, "token-1"), tap("25", now, "token-1")) == Kept(new=0, waiting=0)
    assert (len(rows(Event)), len(rows(OptIn)), len(rows(Customer))) == (1, 1, 1)


def test_only_the_first_tap_on_a_request_is_thanked_for(arrange, fanpage, store, now):
    customer = arrange.customer(fanpage, psid="25", window_closes_at=now + timedelta(hours=1))
    asked = Request(fanpage_id=fanpage, customer_id=customer, topic_id=arrange.topic(fanpage))
    values = {"payload": "otn.abc", "title": "Báo tôi", "after_text": "Cảm ơn!", "created_at": now}
    arrange.save(asked.sqlmodel_update(values))
    first, later = now - timedelta(minutes=2), now - timedelta(minutes=1)

    store(tap("25", later, "token-2", "otn.abc"), tap("25", first, "token-1", "otn.abc"))
    store(tap("25", now, "token-3", "otn.abc"))

    assert rows(Request)[0].tapped_at == first
    assert [reply.body for reply in rows(Reply)] == [{"text": "Cảm ơn!"}]
    assert {opt_in.promise for opt_in in rows(OptIn)} == {"Báo tôi"}


@pytest.mark.sqlite
def test_asking_whose_events_wait_reads_an_index_of_those_alone(fresh_database):
    with reading() as db:
        about = straight._about(for_sqlite=True)
        about.fetch(db, {**bulk.bound([["1", "2", "otn.3"]]), "now": "2026-11-22 09:00:00.000000"})
        words, places, _ = about._words["sqlite"]
        nothing = tuple("[]" for _ in places)
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", nothing).all()

    steps = [row[-1] for row in plan]
    assert any("ix_event_page_id_psid_pending (page_id=? AND psid=?)" in step for step in steps)
    scans = [step for step in steps if step.startswith("SCAN")]
    assert not [step for step in scans if step.split()[1] in ("event", "request", "customer", "fanpage")]


def test_old_events_are_forgotten_and_those_that_wait_are_not(fanpage, store, now, arrange):
    long_ago = now - retention.KEPT_FOR - timedelta(days=1)
    store(tap("25", long_ago, "token-1"), at=long_ago)
    store(said("25", long_ago, "hi", "m_1"), at=long_ago)
    store(tap("26", now, "token-2"))

    assert retention.forget_old_events(now=now) == 1
    assert retention.forget_old_events(now=now) == 0

    assert states() == [EventState.PENDING, EventState.APPLIED]
    assert len(rows(OptIn)) == 2


def test_many_old_events_go_a_portion_at_a_time(fanpage, store, now, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    long_ago = now - retention.KEPT_FOR - timedelta(days=1)
    store(*(tap(str(n + 10), long_ago, f"token-{n}") for n in range(10)), at=long_ago)

    assert retention.forget_old_events(now=now) == 10
    assert rows(Event) == []


@pytest.mark.parametrize("what", ["of a fanpage not yet connected", "failed"])
def test_a_tap_that_is_not_in_the_ledger_is_kept_as_long_as_its_token(fresh_database, store, now, what):
    store(tap("25", now, "token-1"), said("25", now, "hi", "m_1"))
    actions.apply_pending(limit=10, now=now)
    if what == "failed":
        fresh_database.run("UPDATE event SET state = 'failed', note = 'KeyError'")

    assert retention.forget_old_events(now=now + timedelta(days=91)) == 1  # what was said
    assert retention.forget_old_events(now=now + timedelta(days=364)) == 0
    assert [event.kind for event in rows(Event)] == ["opt_in"]
    assert retention.forget_old_events(now=now + timedelta(days=366)) == 1


def test_what_is_kept_longer_hides_nothing_that_is_due(fresh_database, store, now, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    store(
        *(tap(str(n + 10), now, f"token-{n}") for n in range(5)),
        *(said("9", now, "x", f"m_{n}") for n in range(2)),
    )
    actions.apply_pending(limit=10, now=now)

    assert retention.forget_old_events(now=now + timedelta(days=31)) == 2
    assert len(rows(Event)) == 5
