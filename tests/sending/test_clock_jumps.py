"""The clock jumps an hour, either way, under a loop and its worker: no doubles, no burst, nothing stuck."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.db.engine import transaction
from core.db.tables import Fanpage, Heartbeat
from core.installation.clock_watch import ClockWatch
from core.sending.calls.grouping import Call
from core.sending.claims import LEASE
from core.sending.loop import SendingLoop
from core.worker import Worker
from tests import claiming
from tests.sending.conftest import Studio

RATE, PEOPLE = 100, 150
HOUR = timedelta(hours=1)


class Noted:
    """Notes when each call was to leave, by the steady clock, and how many messages it held."""

    def __init__(self, loop: SendingLoop) -> None:
        self.seen: list[tuple[float, int]] = []
        self._add = loop.calls.schedule.add
        loop.calls.schedule.add = self.add

    def add(self, calls: Sequence[tuple[float, Call]], *, known_delay: float) -> None:
        self.seen += [(at, len(call)) for at, call in calls]
        self._add(calls, known_delay=known_delay)

    def most_within_a_second(self) -> int:
        ends = 1 - 1e-6  # the clock's own rounding counts for the fanpage
        return max(sum(n for at, n in self.seen if start <= at < start + ends) for start, _ in self.seen)


@pytest.mark.one_database
@pytest.mark.parametrize("hours", [1, -1])
def test_a_jump_under_a_loop_makes_no_burst_and_no_double(studio: Studio, hours: int) -> None:
    with transaction() as db:
        db.execute(update(Fanpage).where(col(Fanpage.id) == studio.fanpage_id).values(rate=RATE))
    studio.people(PEOPLE)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    jumps = iter([40, 80])  # there, and on from there
    at = next(jumps)

    def jump_now_and_then(_token: str, _nth: int) -> None:
        nonlocal at
        if at and sum(studio.platform.tries.values()) >= at:
            at = next(jumps, 0)
            studio.now += hours * HOUR

    studio.platform.fault = jump_now_and_then
    loop = studio.loop()
    departures = Noted(loop)
    loop.drain()
    studio.send_all(rounds=2)
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.counts["sent"], shown.balances) == ("finished", PEOPLE, True)
    assert set(studio.platform.tries.values()) == {1}, "nobody was even tried twice"
    assert departures.most_within_a_second() <= RATE + RATE // 10


class Machine:
    """A wall clock and a steady one."""

    def __init__(self, now: datetime) -> None:
        self.wall, self.steady = now, 1000.0

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


@pytest.mark.parametrize("hours", [1, -1])
def test_after_a_jump_nothing_is_taken_for_lost_until_a_lease_has_passed(now: datetime, hours: int) -> None:
    machine = Machine(now)
    clock_watch = ClockWatch(lambda: machine.wall, LEASE.total_seconds(), steady=lambda: machine.steady)
    assert clock_watch.has_not_jumped()
    machine.pass_time(1)
    assert clock_watch.has_not_jumped()
    machine.wall += hours * HOUR
    assert not clock_watch.has_not_jumped()
    machine.pass_time(59)
    assert not clock_watch.has_not_jumped()
    machine.pass_time(2)
    assert clock_watch.has_not_jumped()


def test_a_clock_that_is_set_little_by_little_is_even(now: datetime) -> None:
    machine = Machine(now)
    clock_watch = ClockWatch(lambda: machine.wall, LEASE.total_seconds(), steady=lambda: machine.steady)
    for _ in range(100):
        machine.pass_time(1)
        machine.wall += timedelta(seconds=0.5)
        assert clock_watch.has_not_jumped()


@pytest.mark.parametrize("hours", [1, -1])
def test_the_worker_leaves_claims_alone_when_the_clock_jumps(studio: Studio, hours: int) -> None:
    """Those of a living worker: it sends and settles them as if nothing had happened."""
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)

    class Told:
        def __call__(self) -> datetime:
            return studio.now

        def measure(self) -> None:
            pass

    worker = Worker(clock=Told())
    worker.reclaim()
    claiming.claim(broadcast_id, 3, worker=worker.heartbeat.process, now=studio.now)
    with transaction() as db:
        db.add(Heartbeat(process=worker.heartbeat.process, at=studio.now, started_at=studio.now))
    studio.now += hours * HOUR
    worker.reclaim()
    assert studio.show(broadcast_id).counts["sending"] == 3
    assert studio.show(broadcast_id).in_doubt == 0
