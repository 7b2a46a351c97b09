"""Many pumps on few threads; slots reserved ahead; one look for all; a clock that is the database's."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import pytest
from core.sending.crew import DRIVERS, Alarm, Crew
from core.sending.flights import Slots
from core.sending.pace import Speed
from core.sending.watch import Watch

from core import clock as wall
from core.database import reading
from core.database_clock import DatabaseClock, OwnClock, clock
from core.messenger.client import Accepted
from core.sending import pace, queries
from core.sending.outcomes import Outcome
from core.tables import Pace
from tests.databases import TestDatabase
from tests.processes import until
from tests.sending.conftest import Studio


class Walker:
    """A pump that counts its steps and is told how it goes on."""

    def __init__(self, steps: Callable[[int], float | None]) -> None:
        self.on_wake: Callable[[], object] | None = None
        self.has_let_go = False
        self.taken = 0
        self._steps = steps

    def step(self) -> float | None:
        self.taken += 1
        return self._steps(self.taken)

    def end(self) -> None:
        self.has_let_go = True


def crew_of(walkers: dict[int, Walker]) -> Crew:
    return Crew(walkers.__getitem__, Alarm())


def test_far_more_pumps_than_threads_all_get_their_steps_and_end() -> None:
    walkers = {n: Walker(lambda taken: 0.01 if taken < 5 else None) for n in range(DRIVERS * 20)}
    crew = crew_of(walkers)
    done = [crew.pump(n) for n in walkers]
    for each in done:
        each.result(timeout=60)
    until(lambda: not crew.pumping(), what="all have left")
    assert {walker.taken for walker in walkers.values()} == {5}


def test_a_pump_that_is_woken_does_not_sleep_on_and_never_steps_twice_at_once() -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    def step(taken: int) -> float | None:
        nonlocal inside, most
        with lock:
            inside, most = inside + 1, max(most, inside + 1)
        time.sleep(0.001)
        with lock:
            inside -= 1
        return 3600.0 if taken < 50 else None

    walker = Walker(step)
    crew = crew_of({1: walker})
    done = crew.pump(1)
    while not done.done():
        walker.on_wake()
    assert (walker.taken, most) == (50, 1)


def test_another_may_send_as_soon_as_a_pump_has_let_go_though_it_still_settles() -> None:
    settled = threading.Event()
    walker = Walker(lambda taken: None if settled.is_set() else 0.01)
    crew = crew_of({1: walker})
    let_go = crew.pump(1)
    crew.end(let_go)
    let_go.result(timeout=60)
    assert crew.pumping() == {1}
    settled.set()
    until(lambda: not crew.pumping(), what="it has settled")


def test_a_pump_that_breaks_leaves_the_others_alone() -> None:
    def breaks(taken: int) -> float | None:
        raise RuntimeError("made up")

    crew = crew_of({1: Walker(breaks), 2: Walker(lambda taken: 0.0 if taken < 9 else None)})
    for each in (crew.pump(1), crew.pump(2)):
        each.result(timeout=60)
    until(lambda: not crew.pumping(), what="both have left")


def test_a_job_taken_away_in_the_moment_its_pump_lets_go_leaves_no_pump_behind() -> None:
    class JustCancelled(Future):
        def done(self) -> bool:
            return False  # as it was when asked

    asked, taken_away = threading.Event(), threading.Event()

    def step(_taken: int) -> None:
        asked.set()
        taken_away.wait(60)

    walker = Walker(step)
    walker.has_let_go = True
    crew = crew_of({1: walker})
    crew.pump(1)
    assert asked.wait(60)
    (seat,) = crew._all()
    seat.let_go = JustCancelled()
    seat.let_go.cancel()
    taken_away.set()
    until(lambda: not crew.pumping(), seconds=20, what="it has left")


def test_a_flight_that_breaks_does_not_take_the_outcomes_of_others_with_it(studio: Studio) -> None:
    flights: list[Future] = [Future() for _ in range(30)]
    flights[0].set_exception(RuntimeError("made up"))
    for each in flights[1:]:
        each.set_result([Outcome(None, Accepted("m_1"))])
    pump = studio.pump()
    pump._flying = set(flights)
    with pytest.raises(RuntimeError):
        pump._collect()
    assert (len(pump._landing._landed), pump._flying) == (29, set())


def test_slots_are_reserved_for_a_moment_and_given_back_to_nobody_when_much_too_fast(studio: Studio) -> None:
    slots = Slots(studio.fanpage_id, lambda: studio.now)
    fast, slow = Speed(100.0, 0.0), Speed(10.0, 0.0)
    taken = []
    for _ in range(5):
        slots.next(fast)
        taken.append(slots.take())
    apart = [round(later.at - earlier.at, 3) for earlier, later in itertools.pairwise(taken)]
    assert ([slot.count for slot in taken], apart) == ([5] * 5, [0.05] * 4)
    slots.next(fast)
    assert slots.next(slow).count == 1


def test_slots_of_a_long_moment_go_back_to_the_pace_row_and_the_pace_goes_on_from_there(
    studio: Studio,
) -> None:
    slots = Slots(studio.fanpage_id, lambda: studio.now)
    begin = studio.now.timestamp()
    slots.next(Speed(2.0, 0.0))
    first, second = slots.take(), slots.take()
    assert ([first.said, second.said], next_free(studio)) == ([begin, begin + 0.5], begin + 4.0)
    slots.give_back()
    assert next_free(studio) == begin + 1.0
    slots.give_back()
    assert next_free(studio) == begin + 1.0


@pytest.mark.parametrize("rate", [1.0, 5.0, 100.0])
def test_a_new_rate_works_at_once_however_far_ahead_slots_are_reserved(studio: Studio, rate: float) -> None:
    slots = Slots(studio.fanpage_id, lambda: studio.now)
    slots.next(Speed(2.0, 0.0))
    last = slots.take()
    found = slots.next(Speed(rate, 0.0))
    assert round(found.said - last.said, 3) == 0.5
    assert round(found.seconds, 3) == round(found.count / rate, 3)


def test_slots_that_others_have_reserved_behind_are_not_given_back(studio: Studio) -> None:
    slots = Slots(studio.fanpage_id, lambda: studio.now)
    slots.next(Speed(2.0, 0.0))
    theirs, _ = pace.reserve(studio.fanpage_id, 1, Speed(2.0, 0.0), at=studio.now.timestamp())
    slots.give_back()
    assert next_free(studio) == theirs + 0.5


def test_a_hold_puts_off_slots_that_are_reserved(studio: Studio) -> None:
    slots = Slots(studio.fanpage_id, lambda: studio.now)
    slots.next(Speed(2.0, 0.0))
    held = studio.now.timestamp() + 1.7
    found = slots.next(Speed(2.0, held))
    assert round(found.said, 3) == round(held, 3)
    assert slots.next(Speed(2.0, held)) is found


def next_free(studio: Studio) -> float:
    with reading() as db:
        return db.get_one(Pace, studio.fanpage_id).next_free


def test_one_read_serves_every_fanpage_and_a_stopped_one_is_not_in_it(studio: Studio, monkeypatch) -> None:
    asked: list[list[int]] = []
    read = queries.work_of

    def counted(fanpage_ids, *, now):
        asked.append(list(fanpage_ids))
        return read(fanpage_ids, now=now)

    monkeypatch.setattr(queries, "work_of", counted)
    stopped = studio.arrange.fanpage(stopped_code="token_invalid")
    watch = Watch(lambda: studio.now)
    for fanpage_id in (studio.fanpage_id, stopped):
        watch.start(fanpage_id)
    assert watch.fresh(studio.fanpage_id).work
    assert watch.last(stopped).work is None
    assert asked == [[studio.fanpage_id, stopped]]


@pytest.mark.postgresql
@pytest.mark.parametrize("hours", [-1, 1])
def test_on_postgresql_a_machines_own_clock_is_not_asked(
    fresh_database: TestDatabase, monkeypatch, hours: int
) -> None:
    (said,) = fresh_database.rows("SELECT clock_timestamp()")[0]
    monkeypatch.setattr(wall, "utc_now", lambda: datetime.now(UTC) + timedelta(hours=hours))
    monkeypatch.setattr(time, "time", lambda: 0.0)
    told = clock()
    assert isinstance(told, DatabaseClock)
    told.measure()
    first, second = told(), told()
    assert said <= first <= second <= said + timedelta(minutes=5)


@pytest.mark.sqlite
def test_on_sqlite_the_one_machines_clock_is_the_truth(fresh_database: TestDatabase) -> None:
    assert isinstance(clock(), OwnClock)


def test_the_pace_row_gives_the_same_slots_to_nobody_twice_however_many_ask(studio: Studio) -> None:
    """As several workers do: each reserves by itself, at about the same time."""
    at, found = studio.now.timestamp(), []
    lock = threading.Lock()

    def reserve() -> None:
        for _ in range(25):
            slot, _ = pace.reserve(studio.fanpage_id, 2, Speed(100.0, 0.0), at=at)
            with lock:
                found.append(round(slot - at, 3))

    asking = [threading.Thread(target=reserve) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert sorted(found) == [round(n * 0.02, 3) for n in range(100)]
    with reading() as db:
        assert round(db.get_one(Pace, studio.fanpage_id).next_free - at, 3) == 2.0
