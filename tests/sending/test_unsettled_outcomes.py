"""Outcomes of several fanpages are settled together; the trouble of one is not that of the others."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, scheduled_jobs
from core.db.engine import engine
from core.errors import Held, NotFound
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, Answer
from core.sending import claims, settling, unsettled_outcomes
from core.sending.claims import Claim
from core.sending.limits import allowance
from core.sending.settling import Outcome
from core.sending.unsettled_outcomes import UnsettledOutcomes
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio

SENT = "SELECT state, count(*) FROM delivery GROUP BY state"
FANPAGES = 3
PEOPLE = 4
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)


class Fanpages:
    """Some fanpages with a broadcast each, all of it claimed, and what is unsettled of all in one place."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.unsettled = UnsettledOutcomes("worker a", lambda: studio.now)
        self.claimed = dict(self._claimed() for _ in range(FANPAGES))

    def _claimed(self) -> tuple[int, list[Claim]]:
        arrange, now = self.studio.arrange, self.studio.now
        fanpage_id = arrange.fanpage()
        topic_id = arrange.topic(fanpage_id)
        for n in range(PEOPLE):
            customer_id = arrange.customer(fanpage_id)
            arrange.opt_in(topic_id, customer_id, fanpage_id=fanpage_id, token=f"{fanpage_id} {n}")
        content = {"kind": "text", "text": "Đã về"}
        broadcast_id = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=now)
        scheduled_jobs.start_due(now=now)
        return fanpage_id, claiming.claim(broadcast_id, PEOPLE, worker="worker a", now=now)

    def land(self, fanpage_id: int) -> None:
        self.unsettled.take_in([Outcome(each, accepted(each)) for each in self.claimed[fanpage_id]])

    def land_all(self) -> None:
        for fanpage_id in self.claimed:
            self.land(fanpage_id)


def accepted(claim: Claim) -> Answer:
    return Accepted(f"m_{claim.delivery_id}")


@pytest.fixture
def fanpages(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Fanpages:
    monkeypatch.setattr(unsettled_outcomes, "EVERY_SECONDS", 3600.0)
    return Fanpages(studio)


def is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsettled_outcomes, "EVERY_SECONDS", 0.0)


@dataclass
class Settles:
    """What each settle was about, before it took place; `problem` says which of them fails."""

    seen: list[list[Outcome]]
    problem: Callable[[Sequence[Outcome]], Exception | None]

    def sizes(self) -> list[tuple[int, int]]:
        """Fanpages and outcomes of each."""
        return [(len({o.claim.fanpage_id for o in each}), len(each)) for each in self.seen]


@pytest.fixture
def settles(monkeypatch: pytest.MonkeyPatch) -> Settles:
    found, own = Settles([], lambda _outcomes: None), settling.settle

    def settle(outcomes: Sequence[Outcome], **more: object) -> None:
        found.seen.append(list(outcomes))
        if problem := found.problem(outcomes):
            raise problem
        own(outcomes, **more)

    monkeypatch.setattr(settling, "settle", settle)
    return found


def gone() -> OperationalError:
    return OperationalError("UPDATE", None, Exception("made up"))


def test_they_are_settled_in_one_transaction_and_each_fanpages_calls_are_counted(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase, opt_in_states, monkeypatch
) -> None:
    fanpages.land_all()
    fanpages.unsettled.settle_due()
    assert dict(fresh_database.rows(SENT)) == {"sending": FANPAGES * PEOPLE}
    is_time(monkeypatch)
    fanpages.unsettled.settle_due()
    fanpages.unsettled.settle_due()
    assert settles.sizes() == [(FANPAGES, FANPAGES * PEOPLE)]
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}
    assert opt_in_states() == {"spent": FANPAGES * PEOPLE}
    now = fanpages.studio.now
    assert [allowance.allowance_of(each, now=now).used for each in fanpages.claimed] == [PEOPLE] * FANPAGES
    assert not fanpages.unsettled


def test_many_acceptances_do_not_wait_for_more(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr(unsettled_outcomes, "MANY", FANPAGES * PEOPLE)
    fanpages.land_all()
    fanpages.unsettled.settle_due()
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}


def test_turned_down_together_each_fanpage_is_settled_by_itself(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase
) -> None:
    settles.problem = lambda outcomes: RuntimeError("made up") if len(outcomes) > PEOPLE else None
    fanpages.land_all()
    fanpages.unsettled.settle()
    assert settles.sizes() == [(FANPAGES, FANPAGES * PEOPLE), *[(1, PEOPLE)] * FANPAGES]
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}
    assert not fanpages.unsettled


def test_turned_down_even_so_they_are_settled_one_by_one_and_only_that_one_is_left(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase, opt_in_states
) -> None:
    """What the database will never take is left to the take-over, which holds its token in doubt."""
    unlucky = next(iter(fanpages.claimed.values()))[1]
    settles.problem = lambda outcomes: (
        RuntimeError("made up") if any(o.claim is unlucky for o in outcomes) else None
    )
    fanpages.land_all()
    fanpages.unsettled.settle()
    alone, by_fanpage, together = [(1, 1)] * PEOPLE, [(1, PEOPLE)], (FANPAGES, FANPAGES * PEOPLE)
    assert settles.sizes() == [together, *by_fanpage, *alone, *by_fanpage * (FANPAGES - 1)]
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE - 1, "sending": 1}
    assert opt_in_states() == {"spent": FANPAGES * PEOPLE - 1, "reserved": 1}
    assert not fanpages.unsettled


def test_what_is_refused_of_one_fanpage_costs_the_others_nothing_and_a_hold_costs_nobody(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase
) -> None:
    unlucky = next(iter(fanpages.claimed.values()))[1]
    fanpages.land_all()
    settles.problem = lambda _outcomes: Held("on hold for its move")
    with pytest.raises(Held):
        fanpages.unsettled.settle()
    assert len(fanpages.unsettled) == FANPAGES * PEOPLE
    settles.problem = lambda outcomes: NotFound("gone") if any(o.claim is unlucky for o in outcomes) else None
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE - 1, "sending": 1}


def test_while_the_database_is_gone_nothing_is_forgotten(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase, monkeypatch
) -> None:
    fanpages.land_all()
    is_time(monkeypatch)
    settles.problem = lambda _outcomes: gone()
    for _ in range(3):
        with pytest.raises(OperationalError):
            fanpages.unsettled.settle_due()
    assert len(fanpages.unsettled) == FANPAGES * PEOPLE
    settles.problem = lambda _outcomes: None
    fanpages.unsettled.settle_due()
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}


def test_gone_in_the_middle_of_one_by_one_it_keeps_what_is_not_settled_yet(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase
) -> None:
    fanpage_id, mine = next(iter(fanpages.claimed.items()))

    def problem(outcomes: Sequence[Outcome]) -> Exception | None:
        if len(outcomes) > 1:
            return RuntimeError("made up")
        return gone() if outcomes[0].claim is mine[2] else None

    settles.problem = problem
    fanpages.land(fanpage_id)
    with pytest.raises(OperationalError):
        fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT))["sent"] == 2
    assert len(fanpages.unsettled) == PEOPLE - 2
    settles.problem = lambda _outcomes: None
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT))["sent"] == PEOPLE
    assert allowance.allowance_of(fanpage_id, now=fanpages.studio.now).used == PEOPLE  # none counts twice


@contextmanager
def locked(table: str, row_id: int) -> Iterator[None]:
    with engine().begin() as another:
        another.exec_driver_sql(f"SELECT id FROM {table} WHERE id = {row_id} FOR UPDATE")
        yield


@pytest.mark.postgresql
def test_a_row_that_another_holds_keeps_only_its_fanpage_waiting(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr(unsettled_outcomes, "LOCKED_SECONDS", 3600.0)
    first, *others = fanpages.claimed
    mine = fanpages.claimed[first]
    fanpages.land_all()
    with locked("delivery", mine[0].delivery_id):
        fanpages.unsettled.settle()
        assert dict(fresh_database.rows(SENT)) == {"sent": len(others) * PEOPLE, "sending": PEOPLE}
        settled = len(settles.seen)
        fanpages.unsettled.settle()
        assert len(settles.seen) == settled  # not asked for again so soon
    assert len(fanpages.unsettled) == PEOPLE
    let_time_pass(monkeypatch)
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}
    assert not fanpages.unsettled


def let_time_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until what was locked is tried again."""
    later = 2 * unsettled_outcomes.LOCKED_SECONDS
    monkeypatch.setattr(
        unsettled_outcomes, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + later)
    )


@pytest.mark.postgresql
def test_what_comes_in_meanwhile_of_other_fanpages_is_settled_without_it(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase, monkeypatch
) -> None:
    monkeypatch.setattr(unsettled_outcomes, "LOCKED_SECONDS", 3600.0)
    first, second, third = fanpages.claimed
    with locked("delivery", fanpages.claimed[first][0].delivery_id):
        fanpages.land(first)
        fanpages.unsettled.settle()
        settles.seen.clear()
        fanpages.land(second)
        fanpages.land(third)
        fanpages.unsettled.settle()
        assert settles.sizes() == [(2, 2 * PEOPLE)]
        assert dict(fresh_database.rows(SENT)) == {"sent": 2 * PEOPLE, "sending": PEOPLE}


@pytest.mark.postgresql
def test_a_locked_row_among_those_settled_one_by_one_is_not_dropped(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase, monkeypatch
) -> None:
    fanpage_id, mine = next(iter(fanpages.claimed.items()))
    settles.problem = lambda outcomes: RuntimeError("made up") if len(outcomes) > 1 else None
    fanpages.land(fanpage_id)
    with locked("delivery", mine[1].delivery_id):
        fanpages.unsettled.settle()
        assert dict(fresh_database.rows(SENT))["sent"] == 1
    assert len(fanpages.unsettled) == PEOPLE - 1
    let_time_pass(monkeypatch)
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT))["sent"] == PEOPLE


def test_a_refusal_is_settled_with_the_acceptances_before_it(
    fanpages: Fanpages, settles: Settles, fresh_database: TestDatabase
) -> None:
    """Else the refusals would be all that is known of a broadcast."""
    mine = next(iter(fanpages.claimed.values()))
    fanpages.unsettled.take_in([Outcome(each, accepted(each)) for each in mine[1:]])
    fanpages.unsettled.settle_due()
    assert not settles.seen  # acceptances alone wait a little
    fanpages.unsettled.take_in([Outcome(mine[0], BLOCKED)])
    fanpages.unsettled.settle_due()
    (together,) = settles.seen
    assert Counter(type(each.answer).__name__ for each in together) == {"Accepted": PEOPLE - 1, "Failure": 1}
    assert not fanpages.unsettled
    rows = f"SELECT state, count(*) FROM delivery WHERE broadcast_id = {mine[0].broadcast_id} GROUP BY state"
    assert dict(fresh_database.rows(rows)) == {"sent": PEOPLE - 1, "failed": 1}


def test_what_came_in_while_it_settled_is_settled_the_next_time(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    fanpage_id = next(iter(fanpages.claimed))
    first, *late = (Outcome(each, accepted(each)) for each in fanpages.claimed[fanpage_id])
    own = settling.settle

    def settle(outcomes: Sequence[Outcome], **more: object) -> None:
        own(outcomes, **more)
        fanpages.unsettled.take_in(late)
        late.clear()

    monkeypatch.setattr(settling, "settle", settle)
    fanpages.unsettled.take_in([first])
    for settled in (1, PEOPLE):
        fanpages.unsettled.settle()
        assert dict(fresh_database.rows(SENT))["sent"] == settled
    assert not fanpages.unsettled


def test_what_never_left_goes_back_at_once_without_a_try(
    fanpages: Fanpages, fresh_database: TestDatabase, opt_in_states
) -> None:
    first, *others = fanpages.claimed
    fanpages.unsettled.take_in(fanpages.claimed[first])
    for each in others:
        fanpages.land(each)
    fanpages.unsettled.settle_due()
    states = "SELECT state, tries, in_doubt, count(*) FROM delivery GROUP BY state, tries, in_doubt"
    assert sorted(fresh_database.rows(states)) == [
        ("queued", 0, False, PEOPLE),
        ("sent", 0, False, len(others) * PEOPLE),
    ]
    assert opt_in_states() == {"reserved": PEOPLE, "spent": len(others) * PEOPLE}


@pytest.mark.postgresql
def test_what_never_left_of_a_broadcast_that_is_being_changed_goes_back_later(
    fanpages: Fanpages, fresh_database: TestDatabase
) -> None:
    first, second, _ = fanpages.claimed
    fanpages.unsettled.take_in([*fanpages.claimed[first], *fanpages.claimed[second]])
    with locked("broadcast", fanpages.claimed[first][0].broadcast_id):
        fanpages.unsettled.settle()
        assert dict(fresh_database.rows(SENT)) == {"queued": PEOPLE, "sending": 2 * PEOPLE}
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT)) == {"queued": 2 * PEOPLE, "sending": PEOPLE}
    assert not fanpages.unsettled


@pytest.mark.postgresql
def test_what_never_left_and_is_locked_keeps_only_its_own_fanpage_waiting(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    first, *others = fanpages.claimed
    fanpages.unsettled.take_in(list(itertools.chain(*fanpages.claimed.values())))
    began = time.monotonic()
    with locked("delivery", fanpages.claimed[first][0].delivery_id):
        fanpages.unsettled.settle()
        assert dict(fresh_database.rows(SENT)) == {"queued": len(others) * PEOPLE, "sending": PEOPLE}
    assert time.monotonic() - began < 5.0
    let_time_pass(monkeypatch)
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT)) == {"queued": FANPAGES * PEOPLE}
    assert not fanpages.unsettled


@pytest.mark.postgresql
def test_a_reply_that_never_left_and_is_locked_keeps_only_its_own_fanpage_waiting(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    studio, ids = fanpages.studio, list(fanpages.claimed)
    for studio.fanpage_id in ids:
        studio.reply()
        fanpages.unsettled.take_in(
            claiming.claim_replies(studio.fanpage_id, 1, worker="worker a", now=studio.now)
        )
    states = "SELECT state, count(*) FROM reply GROUP BY state"
    with locked("reply", 1):
        fanpages.unsettled.settle()
        assert dict(fresh_database.rows(states)) == {"queued": FANPAGES - 1, "sending": 1}
    let_time_pass(monkeypatch)
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(states)) == {"queued": FANPAGES}


def test_a_settle_heard_of_too_late_changes_nothing_when_it_is_repeated(
    fanpages: Fanpages, fresh_database: TestDatabase, opt_in_states, monkeypatch
) -> None:
    """The database has it, and nobody heard."""
    own = settling.settle

    def settle_unheard(outcomes: Sequence[Outcome], **more: object) -> None:
        own(outcomes, **more)
        raise gone()

    fanpages.land_all()
    with monkeypatch.context() as patch:
        patch.setattr(settling, "settle", settle_unheard)
        with pytest.raises(OperationalError):
            fanpages.unsettled.settle()
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}
    assert opt_in_states() == {"spent": FANPAGES * PEOPLE}


def test_an_answer_after_the_take_over_still_counts(
    fanpages: Fanpages, fresh_database: TestDatabase, opt_in_states
) -> None:
    """It could not be written in time; the acceptance is known all the same."""
    studio = fanpages.studio
    fanpages.land_all()
    studio.pass_time(minutes=2)
    assert dict(fresh_database.rows(SENT)) == {"queued": FANPAGES * PEOPLE}
    claims.take_over_lost(now=studio.now)
    fanpages.unsettled.settle()
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}
    assert opt_in_states() == {"spent": FANPAGES * PEOPLE}


def test_a_claim_that_never_left_is_handed_back_in_the_end(
    fanpages: Fanpages, monkeypatch: pytest.MonkeyPatch, fresh_database: TestDatabase
) -> None:
    """Given up, it would be taken over as if it had been sent."""
    first, *others = (claim for of_one in fanpages.claimed.values() for claim in of_one)
    own, faults = claims.hand_back, [True]

    def hand_back(some: Sequence[Claim], **more: object) -> list[Claim]:
        if faults and first in some:
            raise RuntimeError("a defect")
        return own(some, **more)

    monkeypatch.setattr(claims, "hand_back", hand_back)
    fanpages.unsettled.take_in([first, *others])
    for _ in range(3):
        fanpages.unsettled.settle()
    assert len(fanpages.unsettled) == 1
    faults.clear()
    fanpages.unsettled.settle()
    assert not fanpages.unsettled
    assert fresh_database.rows(SENT) == [("queued", FANPAGES * PEOPLE)]
    faults.append(True)
    monkeypatch.setattr(first, "claimed_steady", first.claimed_steady - 3600.0)
    fanpages.unsettled.take_in([first])
    fanpages.unsettled.settle()
    assert not fanpages.unsettled
