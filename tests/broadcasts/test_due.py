"""One look says which kinds of work there are for broadcasts, and none where there is nothing to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, audience_builder, canary, due, scheduled_jobs
from core.broadcasts.due import Due
from core.db.engine import reading
from core.db.tables import Broadcast
from core.deliveries.breaker import SMALL_RUN
from core.messenger.errors import Failure, NextStep
from tests.broadcasts.audiences import choose_first_part
from tests.sending.conftest import Studio

HOUR = timedelta(hours=1)
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)


def launched(studio: Studio, people: int, *, canary_size: int = 0) -> int:
    studio.people(people)
    broadcast_id = studio.broadcast()
    choose_first_part(broadcast_id, canary_size, now=studio.now)
    studio.launch(broadcast_id)
    return broadcast_id


def test_where_nothing_is_scheduled_nothing_is_due(studio: Studio) -> None:
    studio.people(2)
    studio.broadcast()
    assert due.look(now=studio.now) == set()


def test_a_scheduled_broadcast_is_due_at_its_time_and_while_it_sends_nothing_is(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    actions.schedule(COMMAND_LINE, broadcast_id, at=studio.now + HOUR, best_before=None, now=studio.now)
    assert due.look(now=studio.now) == set()
    studio.now += HOUR
    assert due.look(now=studio.now) == {Due.START}
    scheduled_jobs.start_due(now=studio.now)
    assert due.look(now=studio.now) == set()


def test_it_is_to_be_finished_when_its_last_delivery_has_an_outcome(studio: Studio) -> None:
    broadcast_id = launched(studio, 3)
    studio.loop().drain()
    assert due.look(now=studio.now) == {Due.FINISH}
    assert scheduled_jobs.finish_done(now=studio.now) == [broadcast_id]
    assert due.look(now=studio.now) == set()


def test_a_canary_is_to_be_judged_when_the_last_of_it_has_an_outcome(studio: Studio) -> None:
    launched(studio, 6, canary_size=2)
    assert due.look(now=studio.now) == set()
    studio.loop().drain()
    assert due.look(now=studio.now) == {Due.JUDGE_CANARY}
    canary.judge(now=studio.now)
    assert due.look(now=studio.now) == set()


def test_what_is_past_its_best_before_is_to_be_ended_or_missed(studio: Studio) -> None:
    studio.people(2)
    running, scheduled = studio.broadcast(), studio.broadcast()
    studio.launch(running, best_before=studio.now + HOUR)
    late = studio.now + 2 * HOUR
    actions.schedule(COMMAND_LINE, scheduled, at=late + HOUR, best_before=late + 2 * HOUR, now=studio.now)
    assert due.look(now=studio.now) == set()
    assert due.look(now=late) == {Due.END_LATE}
    scheduled_jobs.end_too_late(now=late)
    scheduled_jobs.finish_done(now=late)
    assert due.look(now=late) == set()
    assert Due.END_LATE in due.look(now=late + 2 * HOUR)


def test_an_audience_is_to_be_built_until_it_is_complete(studio: Studio, monkeypatch) -> None:
    monkeypatch.setattr(audience_builder, "FIRST_CHUNK", 2)
    launched(studio, 5)
    assert due.look(now=studio.now) == {Due.BUILD_AUDIENCE}
    audience_builder.build_audiences(lambda: studio.now)
    assert due.look(now=studio.now) == set()


def test_refusals_are_to_be_judged_when_there_are_enough_for_the_breaker(studio: Studio) -> None:
    launched(studio, 100)
    studio.platform.fault = lambda token, _nth: BLOCKED if int(token[6:]) in refused else None
    refused = range(SMALL_RUN - 1)
    studio.loop().drain()
    assert due.look(now=studio.now) == {Due.FINISH}
    refused = range(0, 40, 8)
    launched_again = studio.broadcast()
    for n in range(40):
        studio.opt_in(f"again-{n}")
    studio.platform.fault = lambda token, _nth: BLOCKED if token in {f"again-{n}" for n in refused} else None
    studio.launch(launched_again)
    studio.loop().drain()
    assert due.look(now=studio.now) == {Due.FINISH, Due.JUDGE_REFUSALS}


@pytest.mark.sqlite  # PostgreSQL's plan depends on how many there are
@pytest.mark.usefixtures("fresh_database")
def test_the_outcomes_of_ended_broadcasts_are_not_read() -> None:
    """There are ever more of them. SQLite says how it looks them up: by scope and broadcast."""
    with reading() as db:
        asked = select(col(Broadcast.id)).where(due.may_trip()).compile(db.get_bind())
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", tuple(asked.params.values()))
        steps = " ".join(row[3] for row in plan)
    assert "recent_outcomes" in steps
    assert "scope=? AND ref_id=?" in steps
