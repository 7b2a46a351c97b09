"""A heartbeat says when a process was there last, who leads, and whether claims are still its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from core.db.engine import engine, reading
from core.db.tables import Heartbeat
from core.installation import heartbeat
from core.installation.heartbeat import (
    EVERY_SECONDS,
    FRESH_SECONDS,
    WEBHOOK,
    WORKER,
    HeartbeatWriter,
    processes_alive,
)
from tests.databases import TestDatabase


@pytest.fixture
def clocks(now: datetime, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The wall clock and the steady one, both in our hands."""
    clocks = SimpleNamespace(wall=now, steady=100.0)
    monkeypatch.setattr(heartbeat, "time", SimpleNamespace(monotonic=lambda: clocks.steady))
    return clocks


def later(clocks: SimpleNamespace, seconds: float) -> None:
    clocks.wall += timedelta(seconds=seconds)
    clocks.steady += seconds


def made(clocks: SimpleNamespace, kind: str = WORKER) -> HeartbeatWriter:
    return HeartbeatWriter(kind, lambda: clocks.wall)


def processes(now: datetime) -> set[str]:
    with reading() as db:
        return set(db.scalars(processes_alive(now)).all())


def test_a_beat_that_waited_for_the_database_is_as_young_as_it_can_be(
    fresh_database: TestDatabase, now: datetime
) -> None:
    writer = HeartbeatWriter(WORKER, lambda: time_of_day[0])
    time_of_day = [now]

    def waits(_connection: object) -> None:
        time_of_day[0] += timedelta(seconds=10)

    event.listen(engine(), "begin", waits)
    writer.beat()
    with reading() as db:
        row = db.get_one(Heartbeat, writer.process)
    assert (row.at, row.started_at) == (now + timedelta(seconds=10),) * 2


def test_claims_are_ours_only_while_no_beat_was_missed(
    fresh_database: TestDatabase, clocks: SimpleNamespace
) -> None:
    writer = made(clocks)
    assert not writer.is_fresh()
    writer.beat()
    claimed_steady = clocks.steady
    later(clocks, FRESH_SECONDS - 1)
    assert writer.still_ours(claimed_steady)
    later(clocks, 2)
    assert not writer.is_fresh()
    assert not writer.still_ours(claimed_steady)
    writer.beat()
    assert writer.is_fresh()
    assert not writer.still_ours(claimed_steady)  # it was away: others may have taken them
    assert writer.still_ours(clocks.steady)


def test_the_oldest_of_a_kind_leads_until_it_falls_silent(
    fresh_database: TestDatabase, clocks: SimpleNamespace
) -> None:
    server, first, second = made(clocks, WEBHOOK), made(clocks), made(clocks)
    for each in (server, first, second):
        each.beat()
        later(clocks, 1)
    assert (server.leads, first.leads, second.leads) == (True, True, False)
    first.remove()
    second.beat()
    assert second.leads
    assert processes(clocks.wall) == {server.process, second.process}


def test_who_is_long_silent_is_forgotten_by_its_own_kind(
    fresh_database: TestDatabase, clocks: SimpleNamespace
) -> None:
    server, gone, worker = made(clocks, WEBHOOK), made(clocks), made(clocks)
    server.beat()
    gone.beat()
    later(clocks, 2 * 86_400)
    worker.beat()
    assert processes(clocks.wall) == {worker.process}
    assert fresh_database.count("heartbeat") == 2


def test_a_sparing_beat_waits_a_while_and_survives_the_database(
    fresh_database: TestDatabase, clocks: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, tried = made(clocks, WEBHOOK), []

    def fails() -> None:
        tried.append(clocks.steady)
        raise OperationalError("BEGIN", {}, Exception("away"))

    monkeypatch.setattr(writer, "beat", fails)
    for seconds in (0, 1, EVERY_SECONDS, 1):
        later(clocks, seconds)
        writer.beat_sparingly()
    assert tried == [100.0, 101.0 + EVERY_SECONDS]
