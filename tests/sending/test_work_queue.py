"""Jobs are deferred in the transaction that makes the work, on its own connection."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, scheduled_jobs
from core.db import engine as database
from core.db import postgresql_engine
from core.db.engine import engine, transaction
from core.db.work_queue import SHARDS, enqueue, shard_of
from tests.databases import TestDatabase
from tests.sending.conftest import Studio

pytestmark = pytest.mark.postgresql

_JOBS = "SELECT status::text, args->>'shard', lock, queueing_lock FROM procrastinate_jobs ORDER BY id"


def _slice(fanpage_id: int, status: str = "todo") -> tuple[str, str, str, str]:
    shard = fanpage_id % SHARDS
    return (status, str(shard), f"shard {shard}", f"shard {shard}")


def test_the_start_of_a_broadcast_hands_its_fanpage_out_and_so_does_going_on(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    job = _slice(studio.fanpage_id)
    assert fresh_database.rows(_JOBS) == [job]
    fresh_database.run("DELETE FROM procrastinate_jobs")
    actions.pause(COMMAND_LINE, broadcast_id, now=studio.now)
    assert fresh_database.rows(_JOBS) == []
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    assert fresh_database.rows(_JOBS) == [job]


def test_after_a_large_start_the_database_knows_how_many_deliveries_there_are(
    studio: Studio, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr(scheduled_jobs, "LARGE", 3)
    studio.people(3)
    studio.launch(studio.broadcast())
    assert fresh_database.rows("SELECT reltuples::int FROM pg_class WHERE relname = 'delivery'") == [(3,)]


def test_a_transaction_that_fails_hands_nothing_out(studio: Studio, fresh_database: TestDatabase) -> None:
    def fails() -> None:
        with transaction() as db:
            assert enqueue(db, [studio.fanpage_id]) == 1
            raise RuntimeError("made up")

    with pytest.raises(RuntimeError):
        fails()
    assert fresh_database.rows(_JOBS) == []


def test_a_fanpage_waits_once_however_often_it_is_handed_out(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    for _ in range(2):
        with transaction() as db:
            enqueue(db, [studio.fanpage_id])
    assert len(fresh_database.rows(_JOBS)) == 1


def test_fanpages_of_one_shard_share_a_slice(fresh_database: TestDatabase) -> None:
    with transaction() as db:
        assert enqueue(db, [7, 7 + SHARDS, 8, 7 + 2 * SHARDS]) == 2
    assert fresh_database.rows(_JOBS) == [_slice(7), _slice(8)]


def test_a_slice_that_runs_is_followed_by_another(fresh_database: TestDatabase) -> None:
    """It may be about to end, and what it last saw was without this work."""
    with transaction() as db:
        enqueue(db, [7])
    fresh_database.run("UPDATE procrastinate_jobs SET status = 'doing'")
    for expected in (1, 0):
        with transaction() as db:
            assert enqueue(db, [7]) == expected
    assert fresh_database.rows(_JOBS) == [_slice(7, "doing"), _slice(7)]


def test_being_second_spoils_nothing_of_the_transaction(
    studio: Studio, fresh_database: TestDatabase, monkeypatch
) -> None:
    """As when another's job is committed between our look and our own."""
    monkeypatch.setattr("core.db.work_queue.waiting_locks", lambda _db, _fanpages: set())
    with transaction() as db:
        enqueue(db, [studio.fanpage_id])
    with Session(engine()) as db, db.begin():
        assert enqueue(db, [studio.fanpage_id]) == 0
        assert db.connection().exec_driver_sql("SELECT 1").scalar() == 1
    assert len(fresh_database.rows(_JOBS)) == 1


def test_waiting_too_long_for_anothers_job_is_trouble_that_passes(
    studio: Studio, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr("core.db.work_queue.waiting_locks", lambda _db, _fanpages: set())
    with psycopg.connect(fresh_database.url.replace("+psycopg", "")) as other:
        other.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock) VALUES ('q', 't', %s)",
            [f"shard {shard_of(studio.fanpage_id)}"],
        )
        with Session(engine()) as db:
            db.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(OperationalError) as trouble:
                enqueue(db, [studio.fanpage_id])
        other.rollback()
    assert getattr(trouble.value.orig, "sqlstate", None) == "55P03"


def test_a_broadcast_whose_fanpage_is_locked_holds_up_no_others(
    studio: Studio, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setitem(postgresql_engine.WRITER_SETTINGS, "lock_timeout", "200ms")
    database.forget_engines()
    first = studio.broadcast()
    another = Studio(studio.arrange, studio.now, studio.call_threads)
    second = another.broadcast()
    for each in (first, second):
        actions.schedule(COMMAND_LINE, each, at=None, now=studio.now)
    with psycopg.connect(fresh_database.url.replace("+psycopg", "")) as other:
        other.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock) VALUES ('q', 't', %s)",
            [f"shard {shard_of(studio.fanpage_id)}"],
        )
        assert scheduled_jobs.start_due(now=studio.now) == [second]
        other.rollback()
    assert scheduled_jobs.start_due(now=studio.now) == [first]
