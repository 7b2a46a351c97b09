"""A wrong clock ends no opt-in and deletes nothing; what it says is believed again once it is right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from core.alerts.conditions import find_conditions
from core.db.engine import transaction
from core.db.tables import InstallationCheck
from core.fanpages import installation_checks
from core.fanpages.set_up_findings import Finding
from core.installation.clock_trust import ASK_AGAIN_SECONDS, ClockTrust
from core.worker import Worker

DAY = 86_400.0


@dataclass
class Clocks:
    """Ours, the steady one, and how far ours is from theirs (None: they do not answer)."""

    ours: datetime
    steady: float = 1000.0
    off: float | None = 0.0
    needed: bool = True
    asked: int = 0

    def trust(self) -> ClockTrust:
        return ClockTrust(lambda: self.ours, self.ask, lambda: self.needed, lambda: self.steady)

    def ask(self) -> float | None:
        self.asked += 1
        return self.off

    def jump(self, seconds: float) -> None:
        self.ours += timedelta(seconds=seconds)
        self.off = None if self.off is None else self.off + seconds

    def wait(self, seconds: float) -> None:
        self.ours += timedelta(seconds=seconds)
        self.steady += seconds


@pytest.fixture
def clocks(now) -> Clocks:
    return Clocks(now)


def test_a_clock_that_nobody_has_confirmed_ends_nothing_for_good(clocks):
    clocks.off = None
    trust = clocks.trust()
    assert not trust.is_right()
    clocks.off = 3.0
    assert trust.is_right()


@pytest.mark.parametrize("off", [DAY, -DAY, 601.0])
def test_a_clock_that_is_wrong_from_the_start_is_not_believed(clocks, off):
    clocks.off = off
    trust = clocks.trust()
    assert not trust.is_right()
    clocks.jump(-off)
    assert trust.is_right()


@pytest.mark.parametrize("seconds", [DAY, -DAY])
@pytest.mark.parametrize("answer", [True, False])
def test_a_jump_is_doubted_at_once_until_they_agree_or_it_jumps_back(clocks, seconds, answer):
    trust = clocks.trust()
    assert trust.is_right()
    clocks.jump(seconds)
    clocks.off = seconds if answer else None
    assert not trust.is_right()
    clocks.jump(-seconds)
    assert trust.is_right()


def test_a_machine_that_was_asleep_is_believed_once_they_agree(clocks):
    trust = clocks.trust()
    assert trust.is_right()
    clocks.ours += timedelta(days=1)  # the steady clock stands still meanwhile
    clocks.off = None
    assert not trust.is_right()
    clocks.off = 0.0
    assert trust.is_right()


def test_they_are_asked_now_and_then_and_their_silence_takes_nothing_back(clocks):
    trust = clocks.trust()
    assert [trust.is_right(), trust.is_right()] == [True, True]
    assert clocks.asked == 1
    clocks.wait(ASK_AGAIN_SECONDS)
    clocks.off = None
    assert trust.is_right()
    assert clocks.asked == 2


def test_where_nothing_is_at_stake_nobody_is_asked_and_later_everybody_is(clocks):
    clocks.needed, clocks.off = False, DAY
    trust = clocks.trust()
    assert (trust.is_right(), clocks.asked) == (True, 0)
    clocks.needed = True
    assert not trust.is_right()


@pytest.fixture
def worker(arrange, monkeypatch) -> Worker:
    """One of a real fanpage, whose clock is a day ahead."""
    fanpage = arrange.fanpage()
    arrange.opt_in(arrange.topic(fanpage), arrange.customer(fanpage), fanpage_id=fanpage)
    monkeypatch.setattr(installation_checks, "seconds_off", lambda _clock: DAY)
    return Worker()


def job(worker: Worker, name: str):
    return next(action for _seconds, action in worker.shared_actions() if action.__name__ == name)


def test_a_worker_with_a_wrong_clock_ends_no_opt_in(worker, arrange, fresh_database, monkeypatch):
    fresh_database.run("UPDATE opt_in SET expires_at = '2020-01-01 00:00:00+00:00'")
    job(worker, "expire_due")()
    assert fresh_database.rows("SELECT state FROM opt_in") == [("available",)]
    monkeypatch.setattr(installation_checks, "seconds_off", lambda _clock: 1.0)
    job(worker, "expire_due")()
    assert fresh_database.rows("SELECT state FROM opt_in") == [("expired",)]


def test_a_wrong_clock_is_told(arrange, now):
    with transaction() as db:
        db.add(InstallationCheck(name="clock", value="", code=Finding.CLOCK_OFF, checked_at=now))
    assert [each.key for each in find_conditions(now=now)] == ["clock"]
