"""Slices: shared, handed over, rescued; and a queue that lives on while its connections, or calls, do not."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from core.clock import utc_now
from core.db.engine import transaction
from core.db.work_queue import SHARDS, enqueue, shard_of
from core.sending.sharing import queue_connection, queue_session
from core.sending.sharing.slices import SharedAssignment
from tests.databases import TestDatabase
from tests.processes import process, until
from tests.sending.conftest import Studio
from tests.sending.frozen_connection import FrozenConnection
from tests.sending.shards_held import ShardsHeld

pytestmark = pytest.mark.postgresql

_ENDING = """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND query ~ 'finish_job'"""
_JOBS = "SELECT status::text, (args->>'shard')::int FROM procrastinate_jobs ORDER BY id"
_INSERT = """INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
    VALUES ('slices', 'send_for_shard', 'shard 7', 'shard 7', '{"shard": 7}')"""


@contextmanager
def at_work(loop: ShardsHeld, is_fresh: Callable[[], bool] = lambda: True) -> Iterator[SharedAssignment]:
    before = set(threading.enumerate())
    assignment = SharedAssignment(loop, is_fresh)
    assignment.start()
    (mine,) = [each for each in threading.enumerate() if each.name == "queue" and each not in before]
    try:
        yield assignment
    finally:
        assignment.stop()
        assignment.wait(30)
    assert not mine.is_alive()
    assert loop.held == set()


def defer_missing(*shards: int) -> None:
    with transaction() as db:
        enqueue(db, shards)


def held_by(*loops: ShardsHeld) -> list[int]:
    return [len(loop.held) for loop in loops]


@pytest.fixture
def fanpage_id(studio: Studio, fresh_database: TestDatabase) -> int:
    studio.people(1)
    studio.launch(studio.broadcast())
    fresh_database.run("DELETE FROM procrastinate_jobs")
    return studio.fanpage_id


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices are over soon."""
    monkeypatch.setattr(queue_session, "SLICE_SECONDS", 0.2)


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices outlast the test."""
    monkeypatch.setattr(queue_session, "SLICE_SECONDS", 3600.0)


def test_a_shard_is_sent_for_as_long_as_it_has_work_and_then_has_no_job(
    fresh_database: TestDatabase, brief: None
) -> None:
    loop = ShardsHeld()
    loop.busy = {7}
    with at_work(loop):
        defer_missing(7, 8)
        until(lambda: loop.taken[7] > 2, what="one slice follows the other")
        loop.busy = set()
        until(lambda: fresh_database.count("procrastinate_jobs") == 0, what="no slice follows the last")
        assert loop.taken[8] == 1
        assert loop.held == set()


def test_workers_share_what_is_due_at_once_evenly(fresh_database: TestDatabase, long: None) -> None:
    loops = [ShardsHeld(), ShardsHeld(), ShardsHeld()]
    with at_work(loops[0]), at_work(loops[1]), at_work(loops[2]):
        until(lambda: fresh_database.count("procrastinate_workers") == 3, what="all take slices")
        defer_missing(*range(SHARDS))
        until(lambda: sum(held_by(*loops)) == SHARDS, what="all shards are taken")
        assert sorted(held_by(*loops)) == [10, 11, 11]


def test_a_worker_that_joins_gets_its_share(fresh_database: TestDatabase, brief: None) -> None:
    first, second = ShardsHeld(), ShardsHeld()
    first.busy = second.busy = set(range(12))
    with at_work(first):
        defer_missing(*range(12))
        until(lambda: len(first.held) == 12, what="one sends for all")
        with at_work(second):
            until(lambda: held_by(first, second) == [6, 6], what="they share")
        until(lambda: len(first.held) == 12, what="one sends for all again")


def test_a_worker_that_ends_hands_its_shards_over(fresh_database: TestDatabase, long: None) -> None:
    leaving, staying = ShardsHeld(), ShardsHeld()
    leaving.busy = {7}
    with at_work(leaving) as assignment:
        defer_missing(7)
        until(lambda: leaving.held == {7}, what="the slice is taken")
        with at_work(staying):
            assignment.stop()
            until(lambda: staying.held == {7}, what="the other sends for the shard")
            assert leaving.held == set()


def test_what_became_due_by_time_is_handed_out_to_its_shard_once(
    fanpage_id: int, fresh_database: TestDatabase
) -> None:
    assignment = SharedAssignment(ShardsHeld(), lambda: True)
    for status in ("todo", "doing"):
        assignment.defer_missing(utc_now())
        fresh_database.run(f"UPDATE procrastinate_jobs SET status = '{status}'")
    assignment.defer_missing(utc_now())
    assert fresh_database.rows(_JOBS) == [("doing", shard_of(fanpage_id))]


def test_a_worker_whose_heartbeat_is_old_takes_nothing(fresh_database: TestDatabase, long: None) -> None:
    loop, asked, is_fresh = ShardsHeld(), [], False
    with at_work(loop, lambda: asked.append(1) or is_fresh):
        defer_missing(7)
        until(lambda: len(asked) > 10, what="it could have taken the slice")
        assert fresh_database.rows(_JOBS) == [("todo", 7)]
        is_fresh = True
        until(lambda: loop.held == {7}, what="the slice is taken")


@pytest.mark.parametrize("worker", ["silent", "gone"])
def test_a_slice_of_a_worker_that_fell_silent_is_rescued_as_another_job(
    fresh_database: TestDatabase, long: None, worker: str
) -> None:
    fresh_database.run("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 min')")
    fresh_database.run(_INSERT)
    fresh_database.run(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)"
    )
    if worker == "gone":
        fresh_database.run("DELETE FROM procrastinate_workers")
    [(lost,)] = fresh_database.rows("SELECT id FROM procrastinate_jobs")
    loop = ShardsHeld()
    with at_work(loop):
        until(lambda: loop.held == {7}, what="the slice is taken")
        [(found,)] = fresh_database.rows("SELECT id FROM procrastinate_jobs")
        assert found > lost


def test_a_slice_at_work_is_left_alone_however_often_the_queue_looks_round(
    fresh_database: TestDatabase, long: None, monkeypatch
) -> None:
    monkeypatch.setattr(queue_session, "HEARTBEAT_SECONDS", 0.01)
    looks, look = [], queue_session.QueueJobs.get_stalled_jobs
    monkeypatch.setattr(
        queue_session.QueueJobs, "get_stalled_jobs", lambda *a, **k: looks.append(1) or look(*a, **k)
    )
    loop = ShardsHeld()
    with at_work(loop):
        defer_missing(7)
        until(lambda: loop.held == {7}, what="the slice is taken")
        seen = len(looks)
        until(lambda: len(looks) > seen + 20, what="it has looked round")
        assert fresh_database.rows(_JOBS) == [("doing", 7)]
        assert loop.taken == {7: 1}


_DOING = """SELECT worker_id, count(*) FROM procrastinate_jobs
    WHERE status = 'doing' GROUP BY worker_id ORDER BY worker_id"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_slices_of_a_process_that_is_killed_or_paused_go_to_the_other(
    fresh_database: TestDatabase, tmp_path: Path, sent: signal.Signals
) -> None:
    def doing() -> dict[int, int]:
        return dict(fresh_database.rows(_DOING))

    def shared() -> bool:  # between two slices of a shard there may be a short while without
        return len(doing()) == 2 and min(doing().values()) >= SHARDS // 4

    def holder(name: str):
        return process("-m", "tests.sending.shards_held", log=tmp_path / f"{name}.log")

    with holder("one") as one, holder("two"):
        workers = "procrastinate_workers"
        until(lambda: fresh_database.count(workers) == 2, seconds=120, what="both have started")
        defer_missing(*range(SHARDS))
        until(shared, what="they share")
        one.send_signal(sent)
        try:
            until(lambda: min(doing().values(), default=0) > SHARDS * 3 // 4, what="the other takes over")
        finally:
            one.send_signal(signal.SIGCONT)
        if sent == signal.SIGSTOP:
            until(shared, what="they share again")


def test_a_slice_whose_end_does_not_come_through_keeps_no_one_from_sending(
    fresh_database: TestDatabase, brief: None
) -> None:
    loop = ShardsHeld()
    loop.busy = {7}
    with psycopg.connect(fresh_database.url.replace("+psycopg", "")) as holder, at_work(loop):
        doing = "SELECT 1 FROM procrastinate_jobs WHERE status = 'doing' FOR UPDATE"
        loop.on_first_take = lambda: holder.execute(doing)
        defer_missing(7)
        until(lambda: fresh_database.rows(_ENDING), what="its end waits for the lock")
        fresh_database.run(f"SELECT pg_terminate_backend(pid) FROM ({_ENDING}) ending")
        holder.rollback()
        until(lambda: loop.taken[7] > 2, what="the shard is sent for again")


def test_a_successor_does_not_wait_for_anothers_transaction(
    fresh_database: TestDatabase, brief: None, monkeypatch
) -> None:
    monkeypatch.setattr(queue_session, "SUCCESSOR_SECONDS", 0.1)
    loop = ShardsHeld()
    loop.busy = {7, 8}
    with psycopg.connect(fresh_database.url.replace("+psycopg", "")) as other, at_work(loop):
        loop.on_first_take = lambda: other.execute(_INSERT)
        defer_missing(7)
        until(lambda: fresh_database.count("procrastinate_jobs") == 0, what="the slice has ended")
        defer_missing(8)
        until(lambda: loop.taken[8] > 2, what="other shards are sent for")
        other.commit()
        until(lambda: loop.taken[7] > 2, what="the shard is sent for again")
    assert fresh_database.rows("SELECT nextval('procrastinate_workers_id_seq')") == [(2,)]  # it was one life


@pytest.fixture
def connection(fresh_database: TestDatabase, monkeypatch) -> Iterator[FrozenConnection]:
    """What the queue's connections run over."""
    for module in (queue_connection, queue_session):
        monkeypatch.setattr(module, "DEADLINE_SECONDS", 1.5)
    address = make_url(fresh_database.url)
    with FrozenConnection(Path(str(address.query["host"]))) as connection:
        over_the_connection = address.update_query_dict({"host": str(connection.folder)})
        settings = SimpleNamespace(database_url=over_the_connection.render_as_string(hide_password=False))
        monkeypatch.setattr(queue_connection, "settings", lambda: settings)
        yield connection


def test_when_no_connection_answers_any_more_the_queue_goes_on_over_new_ones(
    fresh_database: TestDatabase, connection: FrozenConnection, long: None
) -> None:
    loop = ShardsHeld()
    loop.busy = {7, 8}
    with at_work(loop):
        defer_missing(8)
        until(lambda: loop.held == {8}, what="it takes slices")
        connection.lose()
        defer_missing(7)
        until(lambda: loop.held == {7, 8}, what="it takes slices again, what it had among them")


def test_a_server_that_answers_nothing_for_a_while_is_asked_again(
    fresh_database: TestDatabase, connection: FrozenConnection, long: None
) -> None:
    loop = ShardsHeld()
    loop.busy = {7, 8}
    with at_work(loop):
        defer_missing(8)
        until(lambda: loop.held == {8}, what="it takes slices")
        connection.freeze()
        until(lambda: loop.held == set(), what="it gives up")
        connection.thaw()
        until(lambda: loop.held == {8}, what="it takes slices again")


@pytest.mark.parametrize(
    "words", [b"_fetch_job", b"_update_heartbeat", b"stalled_workers", b"AS share", b"_finish_job"]
)
def test_one_call_that_is_not_answered_ends_the_life_though_the_others_are(
    fresh_database: TestDatabase, connection: FrozenConnection, brief: None, words: bytes
) -> None:
    loop = ShardsHeld()
    loop.busy = {7}
    connection.lose_next(words)
    with at_work(loop):
        defer_missing(7)
        until(lambda: connection.has_lost, what="a connection is lost")
        [(now,)] = fresh_database.rows("SELECT clock_timestamp()")
        seen = loop.taken[7]
        until(lambda: loop.taken[7] > seen + 2, what="it takes slices")
        beats = f"SELECT 1 FROM procrastinate_workers WHERE last_heartbeat > '{now}'"
        until(lambda: fresh_database.rows(beats), what="its heart beats")


def test_a_heartbeat_that_fails_is_not_the_last(
    fresh_database: TestDatabase, long: None, monkeypatch
) -> None:
    """Procrastinate would go on without one, and the others would take its slices for ever."""
    fails = [psycopg.OperationalError("made up")]
    beat = queue_session.JobManager.update_heartbeat

    async def once_failing(self: object, worker_id: int) -> None:
        if fails:
            raise queue_session.ConnectorException from fails.pop()
        await beat(self, worker_id)

    monkeypatch.setattr(queue_session.JobManager, "update_heartbeat", once_failing)
    loop = ShardsHeld()
    loop.busy = {7}
    with at_work(loop):
        defer_missing(7)
        until(lambda: not fails, what="a heartbeat fails")
        [(now,)] = fresh_database.rows("SELECT clock_timestamp()")
        beats = f"SELECT 1 FROM procrastinate_workers WHERE last_heartbeat > '{now}'"
        until(lambda: fresh_database.rows(beats), what="its heart beats")
        until(lambda: loop.held == {7}, what="the slice is taken")


def test_the_queues_connections_have_the_patience_of_all_others(
    fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    connector = queue_connection.PsycopgConnector
    with monkeypatch.context() as patch:
        patch.setattr(connector, "__init__", lambda _self, **options: given.update(options["kwargs"]))
        queue_connection.QueueConnector(lambda problem: None)
    assert given["tcp_user_timeout"] == 15_000
    assert given["connect_timeout"] == 5
