"""A demotion that comes at the very moment of a click: it is either before the deed, or after it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from core.accounts import actions, activity_log, sessions
from core.accounts.authorising import NO_FANPAGE, authorise
from core.accounts.queries import ActivityFilter, list_activity
from core.accounts.rules import COMMAND_LINE, Actor, Permission, Role
from core.broadcasts import actions as broadcasts
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Operator
from core.errors import NotAllowed, SignedOut
from tests.accounts.conftest import operator
from tests.accounts.operations import DAY, World
from tests.processes import until


@pytest.fixture
def world(arrange, now, quick_hashes) -> World:
    return World(arrange, now)


@pytest.fixture
def lan(world) -> Actor:
    return Actor(world.asks, "lan.anh", Role.ADMIN, signed_in_at=world.now)


def waits() -> bool:
    """Whether somebody waits for another's lock; the database is this test's own."""
    waiting = """SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    with reading() as db:
        return db.execute(text(waiting)).first() is not None


def test_who_is_being_demoted_waits_and_is_refused(world, lan, fresh_database):
    """Whichever way the two threads fall, the demotion has begun first."""
    broadcast_id = world.broadcast()
    with ThreadPoolExecutor(1) as pool:
        with transaction() as db:
            db.get(Operator, world.asks).role = Role.VIEWER
            db.flush()
            launched = pool.submit(broadcasts.launch, lan, broadcast_id, now=world.now)
            if not fresh_database.is_sqlite:
                until(waits, what="the launch waits for the demotion")
        with pytest.raises(NotAllowed):
            launched.result()
    with reading() as db:
        assert db.get(Broadcast, broadcast_id).state == "draft"


def test_nothing_of_theirs_is_committed_after_they_were_disabled(world, lan, fresh_database):
    with ThreadPoolExecutor(1) as pool:
        with transaction() as db:
            authorise(db, lan, Permission.SEND, NO_FANPAGE, now=world.now)
            disabled = pool.submit(actions.disable_operator, COMMAND_LINE, world.asks, now=world.now)
            if not fresh_database.is_sqlite:
                until(waits, what="the disabling waits for the deed")
            assert not disabled.done()
            activity_log.record(db, lan, "broadcast.pause", now=world.now)
        disabled.result()
    assert {entry.verb for entry in list_activity(ActivityFilter())} == {
        "broadcast.pause",
        "operator.disable",
    }


@pytest.mark.postgresql
def test_two_deeds_of_one_operator_do_not_wait_for_each_other(world, lan):
    """On SQLite every writer waits for every other, whoever asks."""
    mine, others = world.broadcast(), world.broadcast()
    with ThreadPoolExecutor(1) as pool, transaction() as db:
        authorise(db, lan, Permission.SEND, NO_FANPAGE, now=world.now)
        db.execute(select(Broadcast).where(Broadcast.id == mine).with_for_update())
        assert pool.submit(broadcasts.launch, lan, others, now=world.now).result(timeout=30) == "scheduled"


@pytest.mark.postgresql
def test_a_page_that_is_opened_does_not_wait_for_a_deed(world, lan):
    session_id = world.session_of(world.asks, last_seen_at=world.now - DAY)
    with ThreadPoolExecutor(1) as pool, transaction() as db:
        authorise(db, lan, Permission.SEND, NO_FANPAGE, now=world.now)
        pool.submit(sessions.record_seen, session_id, now=world.now).result(timeout=30)
    assert operator(world.asks).last_seen_at is None  # the next page notes it


def test_admins_who_act_on_each_other_at_once_do_not_wait_for_ever(world, lan):
    """Each holds their own row and wants the other's: the turn they take first keeps them apart."""
    mai = world.other(role=Role.ADMIN)
    by_mai = Actor(mai, "mai", Role.ADMIN, signed_in_at=world.now)

    def end(pair: tuple[Actor, int]) -> bool:
        try:
            actions.disable_operator(pair[0], pair[1], now=world.now)
        except SignedOut:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(end, [(lan, mai), (by_mai, world.asks)])) == [False, True]
