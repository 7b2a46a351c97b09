"""The queue of a worker that lives on while its connections, or single statements, do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from core.engine import distributed, lines
from core.engine.distributed import DistributedEngine
from sqlalchemy import make_url

from core.clock import utc_now
from core.database import transaction
from core.sending.enqueue import enqueue
from tests.databases import TestDatabase
from tests.processes import until
from tests.sending.conftest import Studio
from tests.sending.frozen_line import FrozenLine

pytestmark = pytest.mark.postgresql

_ENDING = """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND query ~ 'finish_job'"""

_LISTENING = (
    """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^LISTEN'"""
)

_HAS_LISTENED = _LISTENING.replace("'^LISTEN'", "'^(LISTEN|SELECT 1$)'")


class Hands:
    """A crew that only notes for whom it is to send, and lets go when told."""

    def __init__(self) -> None:
        self.pumps: list[Future[None]] = []

    def pump(self, _fanpage_id: int) -> Future[None]:
        self.pumps.append(Future())
        return self.pumps[-1]

    def end(self, let_go: Future[None]) -> None:
        pass


@contextmanager
def at_work(hands: Hands, is_fresh: Callable[[], bool] = lambda: True) -> Iterator[DistributedEngine]:
    engine = DistributedEngine(hands, is_fresh)
    engine.start()
    try:
        yield engine
    finally:
        for each in hands.pumps:
            if not each.done():
                each.set_result(None)
        engine.stop()
        engine.wait(30)


@pytest.fixture
def fanpage_id(studio: Studio, fresh_database: TestDatabase) -> int:
    studio.people(1)
    studio.launch(studio.broadcast())
    fresh_database.run("DELETE FROM procrastinate_jobs")
    return studio.fanpage_id


def test_a_job_whose_end_does_not_come_through_keeps_no_one_from_sending(
    fanpage_id: int, fresh_database: TestDatabase
) -> None:
    hands = Hands()
    url = fresh_database.url.replace("+psycopg", "")
    with at_work(hands) as engine, psycopg.connect(url) as holder:
        engine.hand_out(now=utc_now())
        until(lambda: hands.pumps, what="the job is taken")
        holder.execute("SELECT 1 FROM procrastinate_jobs WHERE status = 'doing' FOR UPDATE")
        hands.pumps[0].set_result(None)
        until(lambda: fresh_database.rows(_ENDING), what="its end waits for the lock")
        fresh_database.run(f"SELECT pg_terminate_backend(pid) FROM ({_ENDING}) ending")
        holder.rollback()

        def taken_again() -> bool:
            engine.hand_out(now=utc_now())
            return len(hands.pumps) > 1

        until(taken_again, seconds=30, what="the fanpage is sent for again")


def test_a_job_at_work_is_left_alone_however_often_the_queue_looks_round(
    fanpage_id: int, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr("core.engine.distributed.LOOK_ROUND_SECONDS", 0.01)
    looks = []
    share = distributed._share
    monkeypatch.setattr("core.engine.distributed._share", lambda: looks.append(1) or share())
    hands = Hands()
    with at_work(hands) as engine:
        engine.hand_out(now=utc_now())
        until(lambda: hands.pumps, what="the job is taken")
        seen = len(looks)
        until(lambda: len(looks) > seen + 20, what="it has looked round")
        assert fresh_database.rows("SELECT status::text FROM procrastinate_jobs") == [("doing",)]
        assert len(hands.pumps) == 1


def test_many_that_become_due_at_once_are_taken_by_the_share_of_now(
    fanpage_id: int, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr(distributed, "LOOK_ROUND_SECONDS", 3600.0)
    hands = Hands()
    with at_work(hands) as engine:
        until(lambda: engine._queue._share == 1, what="it has looked round, and nothing was to be done")
        with transaction() as db:
            enqueue(db, range(1, 13))
        until(lambda: len(hands.pumps) == 12, what="all are taken")
        # None was passed on as another job.
        assert fresh_database.rows("SELECT max(id) - min(id) FROM procrastinate_jobs") == [(11,)]


@pytest.fixture
def line(fresh_database: TestDatabase, monkeypatch) -> Iterator[FrozenLine]:
    """What the queue's connections run over."""
    monkeypatch.setattr(lines, "TICK_SECONDS", 0.2)
    address = make_url(fresh_database.url)
    with FrozenLine(Path(str(address.query["host"]))) as line:
        over_the_line = address.update_query_dict({"host": str(line.folder)})
        settings = SimpleNamespace(database_url=over_the_line.render_as_string(hide_password=False))
        monkeypatch.setattr(lines, "settings", lambda: settings)
        yield line


def test_lines_that_answer_nothing_are_cut_and_the_queue_goes_on_over_new_ones(
    fanpage_id: int, fresh_database: TestDatabase, line: FrozenLine
) -> None:
    hands = Hands()
    with at_work(hands):
        until(lambda: fresh_database.count("procrastinate_workers") == 1, what="it takes jobs")
        line.lose()
        with transaction() as db:
            enqueue(db, [fanpage_id])
        until(lambda: hands.pumps, what="it takes jobs again")


@pytest.mark.parametrize("words", [b"_fetch_job", b"_update_heartbeat", b"worker_id = $1"])
def test_one_line_that_answers_nothing_is_cut_though_the_others_do(
    fanpage_id: int, fresh_database: TestDatabase, line: FrozenLine, monkeypatch, words: bytes
) -> None:
    looks = []
    share = distributed._share
    monkeypatch.setattr("core.engine.distributed._share", lambda: looks.append(1) or share())
    hands = Hands()
    line.lose_next(words)
    with at_work(hands):
        until(lambda: line.has_lost, what="a line is lost")
        [(now,)] = fresh_database.rows("SELECT clock_timestamp()")
        seen = len(looks)
        with transaction() as db:
            enqueue(db, [fanpage_id])
        until(lambda: hands.pumps, what="it takes jobs")
        until(
            lambda: fresh_database.rows(
                f"SELECT 1 FROM procrastinate_workers WHERE last_heartbeat > '{now}'"
            ),
            what="its heart beats",
        )
        until(lambda: len(looks) > seen, what="it looks round")


def test_an_ear_whose_line_answers_nothing_listens_again(
    fanpage_id: int, fresh_database: TestDatabase, line: FrozenLine, monkeypatch
) -> None:
    loop = lines.PsycopgConnector._loop_notify

    async def ask_often(self: object, timeout: float = 0, **words: object) -> None:
        await loop(self, timeout=0.2, **words)  # whether it still can, each half minute as a rule

    monkeypatch.setattr(lines.PsycopgConnector, "_loop_notify", ask_often)
    with at_work(Hands()):
        until(lambda: fresh_database.rows(_HAS_LISTENED) != [(0,)], what="it listens")
        line.lose_next(b"SELECT 1")
        until(lambda: line.has_lost, what="the line is lost")
        [(now,)] = fresh_database.rows("SELECT clock_timestamp()")
        asked = f"""SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
            AND query = 'SELECT 1' AND query_start > '{now}' AND pid <> pg_backend_pid()"""
        until(lambda: fresh_database.rows(asked), what="it listens again")


def test_a_queue_that_could_not_listen_listens_again(
    fanpage_id: int, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr(lines, "DEAF_SECONDS", 0.05)
    deaf = [psycopg.OperationalError("no connection for it"), psycopg.OperationalError("nor now")]
    listen = lines.PsycopgConnector.listen_notify

    async def once_deaf(self: object, **words: object) -> None:
        if deaf:
            raise lines.ConnectorException from deaf.pop()
        await listen(self, **words)

    monkeypatch.setattr(lines.PsycopgConnector, "listen_notify", once_deaf)
    with at_work(Hands()):
        until(lambda: fresh_database.rows(_LISTENING) == [(1,)], what="it listens")


def test_the_queues_connections_have_the_patience_of_all_others(fresh_database: TestDatabase) -> None:
    given = lines.Lines().connector()._pool_args["kwargs"]
    assert given["tcp_user_timeout"] == 15_000
    assert given["connect_timeout"] == 5


def test_a_worker_whose_sign_of_life_is_old_takes_nothing(
    fanpage_id: int, fresh_database: TestDatabase
) -> None:
    hands, is_fresh = Hands(), False
    with at_work(hands, lambda: is_fresh) as engine:
        engine.hand_out(now=utc_now())
        until(lambda: fresh_database.count("procrastinate_jobs") == 0, what="the job is let go")
        assert not hands.pumps
        is_fresh = True
        engine.hand_out(now=utc_now())
        until(lambda: hands.pumps, what="the job is taken")


@pytest.mark.parametrize("waiting", [False, True], ids=["no job waits", "one waits for the lock"])
def test_a_worker_that_ends_hands_its_fanpage_on_without_waiting_for_anybodys_look(
    fanpage_id: int, fresh_database: TestDatabase, monkeypatch, waiting: bool
) -> None:
    leaving, staying = Hands(), Hands()
    with at_work(leaving) as engine:
        until(lambda: fresh_database.count("procrastinate_workers") == 1, what="it takes jobs")
        engine.hand_out(now=utc_now())
        until(lambda: leaving.pumps, what="the job is taken")
        monkeypatch.setattr(distributed, "POLL_SECONDS", 3600.0)  # the other finds nothing by looking
        with at_work(staying):
            until(lambda: fresh_database.count("procrastinate_workers") == 2, what="another takes jobs")
            until(lambda: fresh_database.rows(_LISTENING) == [(2,)], what="and listens")
            if waiting:
                with transaction() as db:
                    enqueue(db, [fanpage_id])
            engine.stop()
            leaving.pumps[0].set_result(None)
            until(lambda: staying.pumps, what="the other sends for the fanpage")
