"""One loop sends for several fanpages in calls that they share, and none of them feels the others."""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from core.db.engine import transaction
from core.db.tables import Fanpage, FanpageRate
from core.encryption import CannotDecrypt
from core.errors import WrongState
from core.messenger.errors import Failure, NextStep
from core.sending import claiming, work_snapshot
from core.sending.calls.grouping import Call
from core.sending.claiming import ClaimedBatch, ClaimRequest
from core.sending.limits import fanpage_limits
from core.sending.loop import BREATH_SECONDS, TURN_SECONDS
from core.sending.replies.claims import ReplyClaim
from tests.arrange import Arrange
from tests.processes import until
from tests.sending.conftest import Studio
from tests.sending.platform import Platform
from tests.sending.turn_loop import DrainedLoop, turn_until

DEAD = Failure(NextStep.STOP_FANPAGE, "token_invalid", 400, 190)
PEOPLE = 40
NUMBERS = itertools.count()


class Street:
    """Several fanpages, each with a platform of its own."""

    def __init__(
        self, arrange: Arrange, now: datetime, call_threads: ThreadPoolExecutor, count: int = 4
    ) -> None:
        self.studios = [Studio(arrange, now, call_threads) for _ in range(count)]
        self.connections: dict[int, Platform | Exception] = {
            each.fanpage_id: each.platform for each in self.studios
        }

    def __getitem__(self, place: int) -> Studio:
        return self.studios[place]

    def loop(self, **more) -> DrainedLoop:
        return self[0].loop(
            find_connections=lambda ids: {each: self.connections[each] for each in ids}, **more
        )

    def launch(self, people: int = PEOPLE) -> dict[int, int]:
        """A broadcast of each, by fanpage."""
        return {each.fanpage_id: launched(each, people) for each in self.studios}

    def sent(self, broadcasts: dict[int, int]) -> list[int]:
        return [self[0].show(broadcasts[each.fanpage_id]).counts["sent"] for each in self.studios]


def launched(studio: Studio, people: int) -> int:
    """To people of its own."""
    studio.topic_id = studio.arrange.topic(studio.fanpage_id, f"Chủ đề {next(NUMBERS)}")
    for n in range(people):
        studio.opt_in(f"{studio.fanpage_id}/{studio.topic_id}/{n}")
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id


@pytest.fixture
def street(arrange: Arrange, now: datetime, call_threads: ThreadPoolExecutor) -> Street:
    return Street(arrange, now, call_threads)


def tried_once_by_its_own_connection(studio: Studio, people: int = PEOPLE) -> None:
    tries = studio.platform.tries
    assert {token.split("/")[0] for token in tries} == {str(studio.fanpage_id)}
    assert (len(tries), set(tries.values())) == (people, {1})


def test_each_fanpages_messages_leave_by_its_own_connection_in_calls_that_they_share(street: Street) -> None:
    broadcasts = street.launch()
    street.loop().drain()
    assert street.sent(broadcasts) == [PEOPLE] * 4
    for studio in street.studios:
        tried_once_by_its_own_connection(studio)
    shared = [call for studio in street.studios for call in studio.platform.mixed]
    assert any(len(set(call)) == 4 for call in shared)


@pytest.mark.parametrize("place", [0, 2, 3], ids=["the first", "one between", "the last"])
def test_a_dead_connection_stops_its_own_fanpage_and_costs_the_others_nothing(
    street: Street, opt_in_states, place: int
) -> None:
    street[place].platform.dead = DEAD
    broadcasts = street.launch()
    street.loop().drain()
    for n, studio in enumerate(street.studios):
        shown = studio.show(broadcasts[studio.fanpage_id])
        if n == place:
            assert (shown.pause_code, shown.counts["queued"]) == ("token_invalid", PEOPLE)
        else:
            assert (shown.state, shown.counts["sent"], shown.in_doubt) == ("sending", PEOPLE, 0)
            tried_once_by_its_own_connection(studio)
    assert opt_in_states() == {"spent": 3 * PEOPLE, "reserved": PEOPLE}


def test_a_fanpage_without_a_connection_is_stopped_and_one_sealed_with_another_key_is_left_to_others(
    street: Street,
) -> None:
    street.connections[street[1].fanpage_id] = WrongState("This fanpage has no access token.")
    street.connections[street[2].fanpage_id] = CannotDecrypt("A sealed secret cannot be opened.")
    broadcasts = street.launch()
    street.loop().drain()
    assert street.sent(broadcasts) == [PEOPLE, 0, 0, PEOPLE]
    shown = [studio.show(broadcasts[studio.fanpage_id]) for studio in street.studios]
    assert [each.pause_code for each in shown] == [None, "token_invalid", None, None]
    assert [each.counts["queued"] for each in shown] == [0, PEOPLE, PEOPLE, 0]


def test_one_that_is_stopped_and_one_that_is_held_wait_while_the_others_send(street: Street) -> None:
    stopped, held, now = street[1].fanpage_id, street[2].fanpage_id, street[0].now
    broadcasts = street.launch()
    with transaction() as db:
        db.get_one(Fanpage, stopped).stopped_code = "restricted"
        pace = db.get_one(FanpageRate, held)
        pace.held_until, pace.held_at = now.timestamp() + 30, now.timestamp()
    loop = street.loop()
    loop.drain()
    assert street.sent(broadcasts) == [PEOPLE, 0, 0, PEOPLE]
    with transaction() as db:
        db.get_one(Fanpage, stopped).stopped_code = None
    street[0].now += timedelta(seconds=31)
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


def test_one_that_is_stopped_in_mid_course_keeps_what_it_has_and_the_others_go_on(street: Street) -> None:
    people, (stopping, stopped) = 200, (street[0], street[1])
    broadcasts = street.launch(people)

    def stop_the_next(_token: str, _nth: int) -> None:
        if stopping.platform.tries.total() == 40:
            with transaction() as db:
                fanpage_limits.stop_fanpage(db, stopped.fanpage_id, "restricted", now=stopped.now)

    stopping.platform.fault = stop_the_next
    street.loop().drain()
    sent = street.sent(broadcasts)
    shown = stopped.show(broadcasts[stopped.fanpage_id])
    assert 0 < sent[1] < people
    assert (shown.counts["queued"], shown.counts["sending"], shown.in_doubt) == (people - sent[1], 0, 0)
    assert (sent[0], sent[2], sent[3]) == (people, people, people)


def test_broadcasts_of_one_fanpage_take_turns(street: Street) -> None:
    studio, other = street[0], street[1]
    mine = [launched(studio, 24) for _ in range(3)]
    theirs = launched(other, 72)
    with transaction() as db:
        db.get_one(Fanpage, studio.fanpage_id).rate = 60
    topics = {str(studio.show(each).topic_id): each for each in mine}
    street.loop().drain()
    order = [topics[token.split("/")[1]] for token, _ in studio.platform.texts]
    assert [order[:36].count(each) >= 6 for each in mine] == [True] * 3  # of 12 when it is exactly even
    assert [studio.show(each).counts["sent"] for each in (*mine, theirs)] == [24, 24, 24, 72]


def noted(loop: DrainedLoop) -> list[tuple[float, Call]]:
    """The calls of a loop with their moments, as they are planned."""
    calls: list[tuple[float, Call]] = []
    add = loop.calls.schedule.add

    def note(planned: Sequence[tuple[float, Call]], *, known_delay: float) -> None:
        calls.extend(planned)
        add(planned, known_delay=known_delay)

    loop.calls.schedule.add = note
    return calls


def test_replies_go_first_and_each_by_itself(street: Street) -> None:
    for studio in street.studios:
        for _ in range(3):
            studio.reply()
    broadcasts = street.launch()
    loop = street.loop()
    calls = noted(loop)
    loop.drain()
    assert street.sent(broadcasts) == [PEOPLE] * 4
    assert [len(studio.platform.to_psids) for studio in street.studios] == [3] * 4
    replies, messages = defaultdict(list), defaultdict(list)
    for at, call in calls:
        if isinstance(call[0], ReplyClaim):
            assert len(call) == 1
            replies[call[0].fanpage_id].append(at)
        else:
            for claim in call:
                assert not isinstance(claim, ReplyClaim)
                messages[claim.fanpage_id].append(at)
    for fanpage_id, times in replies.items():
        assert max(times) <= min(messages[fanpage_id])


def test_a_defect_met_at_one_fanpage_does_not_keep_the_others_from_sending(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, bad = claiming.claim, street[1].fanpage_id

    def claim(wanted: Sequence[ClaimRequest], **more: object) -> list[ClaimedBatch]:
        if any(each.fanpage_id == bad for each in wanted):
            raise RuntimeError("made up")
        return own(wanted, **more)

    broadcasts = street.launch()
    with monkeypatch.context() as patch:
        patch.setattr(claiming, "claim", claim)
        turn_until(street.loop(), lambda: street.sent(broadcasts) == [PEOPLE, 0, PEOPLE, PEOPLE])
    street.loop().drain()
    assert street.sent(broadcasts) == [PEOPLE] * 4
    for studio in street.studios:
        tried_once_by_its_own_connection(studio)


def test_what_has_just_begun_is_seen_at_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_snapshot, "FRESH_SECONDS", 3600.0)
    sending = studio.loop()
    sending.turn()
    broadcast_id = launched(studio, 3)
    sending.turn()
    assert studio.show(broadcast_id).counts["queued"] == 3  # its snapshot is from before
    sending.look_again()
    turn_until(sending, lambda: studio.show(broadcast_id).counts["sent"] == 3)


@pytest.fixture
def wide_wire() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(200) as pool:
        yield pool


def test_a_fanpage_whose_calls_hang_does_not_hold_up_the_others(
    arrange: Arrange, now: datetime, wide_wire: ThreadPoolExecutor
) -> None:
    """The others get farther than a fanpage may get ahead of its answers."""
    street = Street(arrange, now, wide_wire, count=3)
    hanging, others = street[1], (street[0], street[2])
    people, rate = 200, 20
    with transaction() as db:
        db.execute(update(Fanpage).values(rate=rate))
    broadcasts = street.launch(people)
    answers, stop = threading.Event(), threading.Event()
    hanging.platform.fault = lambda _token, _nth: answers.wait(60) and None
    loop = threading.Thread(target=street.loop(stop=stop).run)
    loop.start()
    try:
        until(lambda: all(each.platform.accepted.total() > 100 for each in others), seconds=20)
        assert hanging.platform.accepted.total() == 0
        answers.set()
        until(lambda: street.sent(broadcasts) == [people] * 3)
    finally:
        answers.set()
        stop.set()
        loop.join(10)
    for studio in street.studios:
        tried_once_by_its_own_connection(studio, people)


def test_many_answers_to_replies_do_not_make_it_turn_without_end(studio: Studio, monkeypatch) -> None:
    """Each wakes the loop up; a turn looks at all fanpages."""
    stop = threading.Event()
    loop, turns = studio.loop(stop=stop), list[float]()

    def turn(**_claims: bool) -> float:
        turns.append(time.monotonic())
        loop.wake()
        if len(turns) == 5:
            stop.set()
        return TURN_SECONDS

    monkeypatch.setattr(loop, "turn", turn)
    loop.run()
    assert len(turns) == 5
    assert all(later - before >= BREATH_SECONDS for before, later in itertools.pairwise(turns))
