"""A large audience is built in chunks: sent to after the first, and exactly who had opted in at the start."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, audience_builder, list_queries, scheduled_jobs, topic_queries
from core.consent import ledger
from core.consent.withdrawal_actions import withdraw_customer
from core.db import holding
from core.db.engine import reading, transaction
from core.db.holding import HoldCode
from core.db.tables import Customer, Delivery
from core.installation import hold_actions
from tests import claiming
from tests.broadcasts.audiences import build_rest, choose_first_part, recipients
from tests.sending.conftest import Studio

pytestmark = pytest.mark.usefixtures("small_parts")


def test_the_first_are_sent_to_while_the_others_are_still_added(studio: Studio, started: int) -> None:
    shown = studio.show(started)
    assert (shown.state, shown.audience, shown.is_complete, shown.balances) == ("sending", 3, False, True)
    studio.loop().drain()
    assert studio.platform.accepted.total() == 3
    assert build_rest(studio, chunks=1) == []
    shown = studio.show(started)
    assert (shown.audience, shown.counts["sent"], shown.counts["queued"]) == (5, 3, 2)
    assert build_rest(studio) == [started]
    shown = studio.show(started)
    assert (shown.audience, shown.is_complete, shown.balances) == (8, True, True)
    studio.send_all()
    assert studio.platform.accepted.total() == 8
    assert studio.show(started).state == "finished"


def test_it_is_not_finished_before_all_are_added(studio: Studio, started: int) -> None:
    studio.loop().drain()
    assert scheduled_jobs.finish_done(now=studio.now) == []
    build_rest(studio)
    assert scheduled_jobs.finish_done(now=studio.now) == []
    studio.loop().drain()
    assert scheduled_jobs.finish_done(now=studio.now) == [started]


def test_it_is_who_had_opted_in_at_the_start_and_each_once(studio: Studio) -> None:
    asked = [studio.arrange.customer(studio.fanpage_id) for _ in range(7)]
    for person in asked:
        for _ in range(3):
            studio.arrange.opt_in(studio.topic_id, person, fanpage_id=studio.fanpage_id)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.opt_in("after the start")
    studio.arrange.opt_in(studio.topic_id, asked[0], fanpage_id=studio.fanpage_id)
    withdraw_customer(COMMAND_LINE, asked[5], now=studio.now)
    with transaction() as db:
        blocked = db.get_one(Customer, asked[6])
        blocked.unreachable_at = blocked.unreachable_firm_at = studio.now
    build_rest(studio)
    assert recipients(broadcast_id) == asked[:5]


@pytest.mark.parametrize("step", [actions.pause, actions.cancel])
def test_what_was_stopped_meanwhile_is_completed_and_sends_nothing(
    studio: Studio, started: int, opt_in_states, step: Callable[..., str]
) -> None:
    step(COMMAND_LINE, started, now=studio.now)
    build_rest(studio)
    shown = studio.show(started)
    left, held = ("queued", "reserved") if step is actions.pause else ("cancelled", "available")
    assert (shown.audience, shown.counts[left], shown.balances) == (8, 8, True)
    assert opt_in_states() == {held: 8}
    studio.send_all(rounds=2)
    assert studio.platform.tries.total() == 0


def test_past_its_best_before_it_is_completed_and_skipped(studio: Studio, opt_in_states) -> None:
    studio.people(8)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id, best_before=studio.now + timedelta(minutes=1))
    studio.pass_time(minutes=2)
    build_rest(studio)
    studio.pass_time(seconds=1)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.audience, shown.counts["skipped"]) == ("finished", 8, 8)
    assert opt_in_states() == {"available": 8}


def test_a_part_that_fails_leaves_nothing_half_done(studio: Studio, started: int, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "reserve", lambda *_: 0)  # somebody else took them just now
        assert build_rest(studio) == []
    assert studio.show(started).counts["queued"] == 3
    assert build_rest(studio) == [started]
    assert studio.show(started).counts["queued"] == 8


def test_the_next_on_the_topic_starts_when_the_first_has_everybody(studio: Studio, started: int) -> None:
    following = studio.broadcast()
    studio.launch(following)
    assert studio.show(following).state == "scheduled"
    assert build_rest(studio) == [started]
    assert scheduled_jobs.start_due(now=studio.now) == [following]
    assert [studio.show(each).audience for each in (started, following)] == [8, 0]


@pytest.mark.parametrize(("size", "marked"), [(5, True), (8, False), (20, False)])
def test_the_first_part_to_be_looked_at_is_there_from_the_start(
    studio: Studio, size: int, marked: bool
) -> None:
    people = studio.people(8)
    broadcast_id = studio.broadcast()
    choose_first_part(broadcast_id, size, now=studio.now)
    studio.launch(broadcast_id)
    build_rest(studio)
    studio.loop().drain()
    assert studio.platform.accepted.total() == (size if marked else len(people))


def test_a_held_installation_adds_nobody(studio: Studio, started: int) -> None:
    with transaction() as db:
        holding.place_hold(db, HoldCode.RESTORED, now=studio.now)
    assert build_rest(studio) == []
    assert studio.show(started).audience == 3
    hold_actions.release_hold(COMMAND_LINE, now=studio.now)
    assert build_rest(studio) == [started]


def test_several_workers_add_everybody_once(studio: Studio) -> None:
    studio.people(60)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    with ThreadPoolExecutor(4) as pool:
        while not studio.show(broadcast_id).is_complete:
            for each in [pool.submit(build_rest, studio) for _ in range(4)]:
                each.result()
    shown = studio.show(broadcast_id)
    assert (shown.audience, shown.counts["queued"]) == (60, 60)
    with reading() as db:
        assert not db.execute(select(col(Delivery.id)).where(col(Delivery.state) != "queued")).first()


@pytest.mark.postgresql
def test_others_claim_while_a_part_is_added(studio: Studio, started: int, monkeypatch) -> None:
    """SQLite has one writer: there they do so between two parts."""
    claimed = []
    reserve = ledger.reserve

    def reserve_and_look(*given: object) -> int:
        if not claimed:
            claimed.extend(claiming.claim(started, 2, worker="worker a", now=studio.now))
        return reserve(*given)

    monkeypatch.setattr(ledger, "reserve", reserve_and_look)
    build_rest(studio)
    assert len(claimed) == 2


def test_lists_count_those_that_are_there(studio: Studio, started: int) -> None:
    build_rest(studio, chunks=1)
    (line,) = list_queries.list_lines(studio.fanpage_id)
    assert (line.audience, line.counts) == (5, {"queued": 5})
    assert topic_queries.topic_progress(studio.topic_id, now=studio.now).broadcasts[0].audience == 5


@pytest.mark.sqlite
def test_others_are_let_in_while_they_write_and_looked_for_now_and_then(
    studio: Studio, started: int, monkeypatch
) -> None:
    monkeypatch.setattr(audience_builder, "REST_SECONDS", 1.0)
    monkeypatch.setattr(audience_builder, "QUIET", 3)
    monkeypatch.setattr(audience_builder, "ONE_IN", 4)
    monkeypatch.setattr(audience_builder, "CHUNK_ALONE", 9)
    with transaction() as db:
        connection = db.get_bind().connect()
    with connection:
        others = audience_builder.OtherWriters(connection)
        alone = [(others.need_seconds(), others.chunk_size) for _ in range(9)]
        studio.opt_in("a tap")
        busy = [(others.need_seconds(), others.chunk_size) for _ in range(2)]
    assert alone == [(1.0, 2)] * 2 + [(0.0, 9), (1.0, 9), (0.0, 9), (0.0, 9), (0.0, 9), (1.0, 9), (0.0, 9)]
    assert busy == [(1.0, 2)] * 2
