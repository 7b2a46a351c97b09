"""Workers that end, rows that are locked and steps of staff while a large audience is still being made."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text, update
from sqlmodel import Session, col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, audience_builder, canary, retry, scheduled_jobs
from core.broadcasts.rows import get_row
from core.consent import actions as consent
from core.consent import ledger
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, OptIn
from core.errors import WrongState
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.sending import claims, settling
from core.sending.senders.sender import Claim
from core.sending.settling import Outcome
from tests import claiming
from tests.broadcasts.audiences import build_rest, choose_first_part, recipients, unfinished
from tests.processes import until
from tests.sending.conftest import Studio

pytestmark = pytest.mark.usefixtures("small_parts")
DOUBT = Failure(NextStep.IN_DOUBT, "timeout")
ODD = Failure(NextStep.END_DELIVERY, "unknown_error", 400, 4242)
CONTENT = Failure(NextStep.END_DELIVERY, "content", 400, 105)


class Killed(BaseException):
    pass


@pytest.fixture
def killed_before_the_end(monkeypatch: pytest.MonkeyPatch) -> Callable[[Studio], None]:
    """A worker that ends between the last part and the word that it was the last."""

    def run(studio: Studio) -> None:
        def dies(*_: object, **__: object) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(audience_builder, "record", dies)
            with pytest.raises(Killed):
                build_rest(studio)

    return run


def two_opt_ins_each(studio: Studio, people: int) -> int:
    for _ in range(people):
        person = studio.arrange.customer(studio.fanpage_id)
        for _ in range(2):
            studio.arrange.opt_in(studio.topic_id, person, fanpage_id=studio.fanpage_id)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id


@pytest.mark.parametrize("story", ["two opt-ins", "cancelled", "late", "refused"])
def test_another_worker_completes_what_one_left_at_the_very_end(
    studio: Studio, monkeypatch, killed_before_the_end, story: str
) -> None:
    monkeypatch.setattr(audience_builder, "CHUNK", 5)
    late = {"best_before": studio.now + timedelta(minutes=1)} if story == "late" else {}
    if story == "two opt-ins":
        broadcast_id = two_opt_ins_each(studio, 8)
    else:
        studio.people(8)
        broadcast_id = studio.broadcast()
        studio.launch(broadcast_id, **late)
    if story == "cancelled":
        actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    killed_before_the_end(studio)
    assert (len(recipients(broadcast_id)), unfinished()) == (8, [broadcast_id])
    if story == "late":
        studio.pass_time(minutes=2)
    if story == "refused":
        studio.platform.fault = lambda token, nth: CONTENT
        studio.loop().drain()
    assert build_rest(studio) == [broadcast_id]
    assert (unfinished(), studio.show(broadcast_id).audience) == ([], 8)
    following = studio.broadcast()
    studio.launch(following)
    assert studio.show(following).started_at == studio.now


def test_two_workers_at_the_very_end_complete_it_once(studio: Studio, monkeypatch) -> None:
    monkeypatch.setattr(audience_builder, "CHUNK", 5)
    broadcast_id = two_opt_ins_each(studio, 8)
    completed: list[int] = []

    def the_other_first(connection: Connection | None = None) -> AbstractContextManager[Session]:
        if connection is None:  # no part, but the word that the last was made
            monkeypatch.setattr(audience_builder, "transaction", transaction)
            completed.extend(build_rest(studio))
        return transaction(connection)

    monkeypatch.setattr(audience_builder, "transaction", the_other_first)
    assert build_rest(studio) == []
    assert completed == [broadcast_id]
    assert (unfinished(), studio.show(broadcast_id).audience) == ([], 8)


@pytest.mark.parametrize("step", [retry.retry_failed, retry.try_again])
def test_one_cancelled_meanwhile_is_for_nobody_who_was_still_to_be_added(
    studio: Studio, started: int, step: Callable[..., int]
) -> None:
    studio.platform.fault = lambda token, nth: ODD if step is retry.retry_failed else DOUBT
    for _ in range(12):
        studio.loop().drain()
        studio.pass_time(seconds=90)
    actions.cancel(COMMAND_LINE, started, now=studio.now)
    studio.platform.fault = lambda token, nth: None
    with pytest.raises(WrongState):
        step(COMMAND_LINE, started, now=studio.now)
    build_rest(studio)
    assert step(COMMAND_LINE, started, now=studio.now) == 3
    studio.send_all(rounds=3)
    assert studio.platform.accepted.total() == 3
    assert retry.send_to_rest(COMMAND_LINE, started, now=studio.now) == 5


@pytest.fixture
def late(studio: Studio) -> int:
    """Past its best-before; the three who were there were refused, the others are still to be added."""
    studio.people(8)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id, best_before=studio.now + timedelta(minutes=1))
    studio.platform.fault = lambda token, nth: ODD
    studio.loop().drain()
    studio.platform.fault = lambda token, nth: None
    studio.pass_time(minutes=2)
    return broadcast_id


def test_nor_is_one_past_its_best_before(studio: Studio, late: int) -> None:
    with pytest.raises(WrongState):
        retry.retry_failed(COMMAND_LINE, late, now=studio.now)
    build_rest(studio)
    studio.pass_time(seconds=1)
    assert retry.retry_failed(COMMAND_LINE, late, now=studio.now) == 3
    studio.send_all(rounds=3)
    assert studio.platform.accepted.total() == 3


def test_one_that_paused_itself_goes_on_when_it_is_tried_again(studio: Studio, monkeypatch) -> None:
    monkeypatch.setattr(audience_builder, "FIRST_CHUNK", 22)
    studio.people(40)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.platform.fault = lambda token, nth: CONTENT
    studio.loop().drain()
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code) == ("paused", "alike:content")
    studio.platform.fault = lambda token, nth: None
    build_rest(studio)
    again = retry.retry_failed(COMMAND_LINE, broadcast_id, now=studio.now)
    assert again == shown.counts["failed"] >= 5
    studio.send_all(rounds=2)
    assert studio.platform.accepted.total() == 40


def test_what_is_too_late_is_for_nobody_who_has_not_yet_been_skipped(studio: Studio, late: int) -> None:
    build_rest(studio)  # and the next look at what is too late has not come yet
    assert retry.retry_failed(COMMAND_LINE, late, now=studio.now) == 3
    studio.send_all(rounds=3)
    assert studio.platform.accepted.total() == 3


def test_older_opt_ins_come_to_the_topic_only_when_all_are_added(studio: Studio) -> None:
    opt_ins = studio.people(8)
    homeless = [opt_ins[0], opt_ins[7]]
    with transaction() as db:
        db.execute(update(OptIn).where(col(OptIn.id).in_(homeless)).values(topic_id=None))
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    with pytest.raises(WrongState):
        consent.assign_topic(COMMAND_LINE, studio.topic_id, now=studio.now)
    build_rest(studio)
    assert consent.assign_topic(COMMAND_LINE, studio.topic_id, now=studio.now) == 2
    assert len(recipients(broadcast_id)) == 6


@pytest.mark.postgresql
def test_a_first_part_is_judged_without_holding_up_others(studio: Studio, monkeypatch) -> None:
    monkeypatch.setattr(canary, "PATIENCE", "1min")
    first = launch_with_canary(studio, "Một")
    assert build_rest(studio) == [first]
    second = launch_with_canary(studio, "Hai")
    sent = claiming.claim(second, 2, worker="worker a", now=studio.now)
    settling.settle([Outcome(each, Accepted(f"m_{each.delivery_id}")) for each in sent], now=studio.now)
    looking: list[Future[None]] = []
    claimed: list[Claim] = []
    reserve = ledger.reserve
    with ThreadPoolExecutor(1) as pool:

        def reserve_and_look(*given: object) -> int:
            if not looking:
                looking.append(pool.submit(canary.judge, now=studio.now))
                until(waits_for_a_lock, what="the judge waits for the part")
                claimed.extend(claiming.claim(first, 2, worker="worker a", now=studio.now))
            return reserve(*given)

        monkeypatch.setattr(ledger, "reserve", reserve_and_look)
        added = build_rest(studio)
        looking[0].result()
    added += build_rest(studio)  # a part that met the judge at the broadcast's row was left for this time
    assert (added, len(claimed)) == ([second], 2)


def launch_with_canary(studio: Studio, topic: str) -> int:
    studio.topic_id = studio.arrange.topic(studio.fanpage_id, name=topic)
    for n in range(8):
        studio.opt_in(f"{topic}-{n}")
    broadcast_id = studio.broadcast()
    choose_first_part(broadcast_id, 2, now=studio.now)
    studio.launch(broadcast_id)
    return broadcast_id


@pytest.mark.postgresql
def test_an_opt_in_that_somebody_holds_keeps_only_its_own_broadcast_waiting(
    studio: Studio, started: int, monkeypatch
) -> None:
    monkeypatch.setattr(audience_builder, "PATIENCE", "100ms")
    studio.topic_id = studio.arrange.topic(studio.fanpage_id, name="Chủ đề khác")
    for n in range(8):
        studio.opt_in(f"other-{n}")
    other = studio.broadcast()
    studio.launch(other)
    with transaction() as holder:
        left = "SELECT id FROM opt_in WHERE state = 'available' ORDER BY id LIMIT 1 FOR UPDATE"
        holder.execute(text(left))
        assert build_rest(studio) == [other]
    assert build_rest(studio) == [started]


@pytest.mark.postgresql
def test_of_two_broadcasts_that_start_at_once_one_gets_the_topic(studio: Studio, monkeypatch) -> None:
    studio.people(12)
    first, second = studio.broadcast(), studio.broadcast()
    for each in (first, second):
        actions.schedule(COMMAND_LINE, each, at=None, now=studio.now)
    started_meanwhile: list[list[int]] = []

    def and_the_other_at_once(db: Session, broadcast_id: int) -> Broadcast:  # the first is locked by now
        monkeypatch.setattr(scheduled_jobs, "get_row", get_row)
        started_meanwhile.append(scheduled_jobs.start_due(now=studio.now))
        return get_row(db, broadcast_id)

    monkeypatch.setattr(scheduled_jobs, "get_row", and_the_other_at_once)
    assert scheduled_jobs.start_due(now=studio.now) == [first]
    assert started_meanwhile == [[]]
    build_rest(studio)
    assert scheduled_jobs.start_due(now=studio.now) == [second]
    assert [studio.show(each).audience for each in (first, second)] == [12, 0]


@pytest.mark.postgresql
def test_a_dead_workers_claims_are_taken_over_between_two_parts(
    studio: Studio, started: int, monkeypatch
) -> None:
    """Although the next part takes the broadcast's row as soon as the one before has let go of it."""
    monkeypatch.setattr(claims, "PATIENCE", "1min")
    assert len(claiming.claim(started, 2, worker="dead", now=studio.now)) == 2
    studio.now += timedelta(minutes=5)
    taken: list[int] = []
    reserve = ledger.reserve

    with ThreadPoolExecutor(1) as pool:

        def reserve_and_look(*given: object) -> int:
            if not looking:
                looking.append(pool.submit(claims.take_over_lost, now=studio.now))
                until(lambda: waits_for_a_lock(), what="the take-over waits for the part")
            return reserve(*given)

        looking: list[Future[int]] = []
        monkeypatch.setattr(ledger, "reserve", reserve_and_look)
        build_rest(studio)
        taken.append(looking[0].result())
    assert taken == [2]


def waits_for_a_lock() -> bool:
    waiting = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    with reading() as db:
        return bool(db.execute(text(waiting)).scalar_one())
