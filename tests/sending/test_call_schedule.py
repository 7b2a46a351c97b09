"""What was claimed ahead leaves at its moment, in its order; after a stall all of it is later by as much."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from queue import Empty, Queue
from types import SimpleNamespace

import pytest

from core.db.engine import transaction
from core.db.tables import Fanpage
from core.sending import claiming
from core.sending.calls import schedule as call_schedule
from core.sending.calls.grouping import Call
from core.sending.calls.schedule import LATE_SECONDS, CallSchedule
from tests.sending.conftest import Studio

BEGIN = 1000.0
PATIENCE = 20.0  # seconds; for a thread that should be at work
RATE, PEOPLE = 100, 250


class Station:
    """A schedule of calls by a clock that moves only when told; it is known when the next is waited for."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.left: Queue[str] = Queue()
        self.waits: Queue[float | None] = Queue()  # how long for the next; None: there is none
        self.leave: Callable[[str], None] = self.left.put
        self.schedule = CallSchedule[str](lambda call: self.leave(call))

    def pass_to(self, seconds: float) -> None:
        """The clock stands so many seconds after its beginning; whoever waits looks at it."""
        self.now = BEGIN + seconds
        self.add()

    def add(self, **calls: float) -> None:
        """Seconds after the beginning by name."""
        self.plan(self.schedule.delay, **calls)

    def plan(self, known_delay: float, **calls: float) -> None:
        """The same, but they were planned when that was the delay."""
        self.schedule.add([(BEGIN + at, name) for name, at in calls.items()], known_delay=known_delay)

    def leave_until(self, seconds: float | None) -> list[str]:
        """Those that leave before the next is waited for, which is for so long."""
        expected = seconds if seconds is None else pytest.approx(seconds)
        while self.waits.get(timeout=PATIENCE) != expected:
            pass
        return taken(self.left)


def taken(queue: Queue[str]) -> list[str]:
    found = []
    while True:
        try:
            found.append(queue.get_nowait())
        except Empty:
            return found


@pytest.fixture
def station(monkeypatch: pytest.MonkeyPatch) -> Station:
    class Told(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            made[0].waits.put(timeout)
            return super().wait(PATIENCE)

    made: list[Station] = []
    opening = threading.Event()

    def monotonic() -> float:
        return made[0].now

    def thread(*, target: Callable[[], None], **more: object) -> threading.Thread:
        return threading.Thread(target=lambda: (opening.wait(), target()), **more)

    monkeypatch.setattr(call_schedule, "threading", SimpleNamespace(Condition=Told, Thread=thread))
    monkeypatch.setattr(call_schedule, "time", SimpleNamespace(monotonic=monotonic))
    made.append(Station())
    opening.set()
    assert made[0].leave_until(None) == []
    return made[0]


def test_each_leaves_at_its_moment_and_those_of_one_moment_in_their_order(station: Station) -> None:
    station.add(c=0.2, a=0.1, d=0.2, b=0.15)
    assert station.leave_until(0.1) == []
    station.pass_to(0.1)
    assert station.leave_until(0.05) == ["a"]
    station.pass_to(0.15)
    assert station.leave_until(0.05) == ["b"]
    station.pass_to(0.2)
    assert station.leave_until(None) == ["c", "d"]


def test_what_is_added_later_and_leaves_earlier_is_not_overslept(station: Station) -> None:
    station.add(late=5.0)
    assert station.leave_until(5.0) == []
    station.add(early=0.1)
    assert station.leave_until(0.1) == []
    station.pass_to(0.1)
    assert station.leave_until(4.9) == ["early"]


def test_after_a_stall_nothing_leaves_at_once_and_all_is_later_by_its_length(station: Station) -> None:
    station.add(a=0.1, b=0.2, c=0.3, d=1.0)
    assert station.leave_until(0.1) == []
    station.pass_to(5.1)  # frozen: three of them were missed
    assert station.leave_until(0.1) == ["a"]
    station.pass_to(5.2)
    assert station.leave_until(0.1) == ["b"]
    station.pass_to(5.3)
    assert station.leave_until(0.7) == ["c"]
    station.pass_to(6.0)
    assert station.leave_until(None) == ["d"]


def test_what_was_planned_before_a_stall_and_is_added_after_it_leaves_behind_the_others(
    station: Station,
) -> None:
    station.add(a=0.1, b=0.2, c=0.3)
    assert station.leave_until(0.1) == []
    station.pass_to(0.3)  # all of them 0.2 s later
    assert station.leave_until(0.1) == ["a"]
    station.plan(0.0, d=0.4, e=0.5)
    station.pass_to(0.4)
    assert station.leave_until(0.1) == ["b"]
    station.pass_to(0.5)
    assert station.leave_until(0.1) == ["c"]
    station.pass_to(0.6)
    assert station.leave_until(0.1) == ["d"]
    station.pass_to(0.7)
    assert station.leave_until(None) == ["e"]


def test_stalls_add_up(station: Station) -> None:
    station.add(a=0.1, b=0.2, c=0.3)
    assert station.leave_until(0.1) == []
    station.pass_to(2.1)
    assert station.leave_until(0.1) == ["a"]
    station.pass_to(5.2)
    assert station.leave_until(0.1) == ["b"]
    assert station.schedule.delay == pytest.approx(5.0)
    station.pass_to(5.3)
    assert station.leave_until(None) == ["c"]
    assert station.schedule.delay == pytest.approx(5.0)


def test_a_little_lateness_is_no_stall(station: Station) -> None:
    station.add(a=0.1, b=0.2)
    assert station.leave_until(0.1) == []
    station.pass_to(0.1 + LATE_SECONDS * 0.9)
    assert station.leave_until(0.1 - LATE_SECONDS * 0.9) == ["a"]
    assert station.schedule.delay == 0.0


def test_a_stall_while_nothing_waits_puts_nothing_off(station: Station) -> None:
    station.pass_to(60.0)
    assert station.leave_until(None) == []
    station.add(a=60.1)
    assert station.leave_until(0.1) == []
    assert station.schedule.delay == 0.0


def test_what_is_recalled_comes_in_its_order_and_leaves_no_more(station: Station) -> None:
    station.add(c=0.3, a=0.1, b=0.2)
    assert station.leave_until(0.1) == []
    station.pass_to(0.1)
    assert station.leave_until(0.1) == ["a"]
    assert station.schedule.recall() == ["b", "c"]
    assert station.schedule.recall() == []
    station.pass_to(0.5)
    assert station.leave_until(None) == []
    station.add(d=0.6)
    station.pass_to(0.6)
    assert station.leave_until(None) == ["d"]


def test_one_that_cannot_leave_does_not_keep_the_others(station: Station) -> None:
    def leave(call: str) -> None:
        if call == "a":
            raise RuntimeError("made up: no thread will take it")
        station.left.put(call)

    station.leave = leave
    station.add(a=0.1, b=0.1)
    assert station.leave_until(0.1) == []
    station.pass_to(0.1)
    assert station.leave_until(None) == ["b"]


class Freezer:
    """Freezes the process once, for a second by the steady clock, and notes what left when."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[tuple[float, int]] = []
        self.frozen, own = 0.0, time.monotonic
        noting = SimpleNamespace(heapify=heapq.heapify, heappop=self._leave)
        monkeypatch.setattr(time, "monotonic", lambda: own() + self.frozen)
        monkeypatch.setattr(call_schedule, "heapq", noting)

    def freeze(self) -> None:
        self.frozen = 1.0

    def _leave(self, waiting: list[tuple[float, int, Call]]) -> tuple[float, int, Call]:
        found = heapq.heappop(waiting)
        self.seen.append((found[0], len(found[2])))
        return found

    def most_within_a_second(self) -> int:
        ends = 1 - 1e-6  # the clock's own rounding counts for the fanpage
        return max(sum(n for at, n in self.seen if start <= at < start + ends) for start, _ in self.seen)


@pytest.mark.one_database
@pytest.mark.parametrize("is_done", [False, True])
def test_a_stall_in_the_middle_of_a_claim_makes_no_burst(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    """Before the times of what is claimed are reckoned, or while it is committed."""
    with transaction() as db:
        db.get_one(Fanpage, studio.fanpage_id).rate = RATE
    studio.people(PEOPLE)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    freezer, claim = Freezer(monkeypatch), claiming.claim
    claims: list[int] = []

    def claim_and_freeze(*given: object, **more: object) -> list[claiming.ClaimedBatch]:
        claims.append(1)
        if len(claims) == 4 and not is_done:
            freezer.freeze()
        found = claim(*given, **more)
        if len(claims) == 4 and is_done:
            freezer.freeze()
        return found

    monkeypatch.setattr(claiming, "claim", claim_and_freeze)
    studio.loop().drain()
    assert freezer.frozen
    assert studio.show(broadcast_id).counts["sent"] == PEOPLE
    assert set(studio.platform.tries.values()) == {1}
    assert freezer.most_within_a_second() <= RATE + RATE // 10
