"""In no order of refusals, acceptances, signs of life and take-backs is anybody kept out wrongly.

Whoever is out of the audience has a firm mark: its evidence is a refusal that stands, newer than every sign
of life we heard of, and older than a call of the fanpage that was taken.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, scheduled_jobs
from core.consent import eligibility
from core.customers import unreachable_marks
from core.customers.actions import lift_mark, lift_marks_of
from core.db.engine import reading, transaction
from core.db.tables import Customer
from core.inbox import processing
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.sending import settling
from core.sending.senders.sender import Claim
from core.sending.settling import Outcome
from tests import claiming
from tests.arrange import Arrange
from tests.databases import Databases, TestDatabase
from tests.inbox.platform import PAGE, event, milliseconds, read, said, tap
from tests.state_machines import run_histories

PEOPLE = 3
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)
SIGNS: dict[str, Callable[[str, datetime], dict]] = {
    "message": lambda psid, at: said(psid, at, "mình đây", f"m_{milliseconds(at)}_{psid}"),
    "tap": lambda psid, at: tap(psid, at, f"t_{milliseconds(at)}_{psid}"),
    "read": lambda psid, at: event(psid, at, read={"watermark": milliseconds(at) - 60_000}),
    "delivery": lambda psid, at: event(psid, at, delivery={"watermark": milliseconds(at) - 60_000}),
}


class MarkHistory(RuleBasedStateMachine):
    empty: Callable[[], None]  # set by the test

    @initialize()
    def a_fanpage_with_customers(self) -> None:
        type(self).empty()
        self.now = datetime(2026, 11, 22, 9, tzinfo=UTC)
        self.arrange = Arrange(self.now)
        self.fanpage_id = self.arrange.fanpage(page_id=PAGE, broadcasts_a_week=0)
        self.customers = [self.arrange.customer(self.fanpage_id, psid=str(250 + n)) for n in range(PEOPLE)]
        self.topics: list[int] = []
        self.hands: list[Claim] = []
        self.answered: list[Outcome] = []
        self.refused: dict[tuple[int, datetime], int] = {}  # (customer, answered at): delivery; settled
        self.alive: dict[int, list[datetime]] = {each: [] for each in self.customers}
        self.taken: list[datetime] = []  # when the calls set out whose acceptance is settled
        self.undone: set[int] = set()  # deliveries whose refusal was the fanpage's fault
        self.numbers = 0

    @rule()
    def broadcast(self) -> None:
        """To everybody, each time on a topic of its own: nobody is left out for want of an opt-in."""
        topic_id = self.arrange.topic(self.fanpage_id, f"Chủ đề {len(self.topics)}")
        self.topics.append(topic_id)
        for customer_id in self.customers:
            self.arrange.opt_in(topic_id, customer_id, fanpage_id=self.fanpage_id)
        content = {"kind": "text", "text": "Hàng đã về"}
        made = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=self.now)
        actions.schedule(COMMAND_LINE, made, at=None, now=self.now)
        scheduled_jobs.start_due(now=self.now)
        self.hands += claiming.claim(made, PEOPLE, worker="worker a", now=self.now)

    @precondition(lambda self: self.hands)
    @rule(which=st.integers(0, 9), is_taken=st.booleans(), seconds=st.integers(0, 3))
    def call(self, which: int, is_taken: bool, seconds: int) -> None:
        claim = self.hands.pop(which % len(self.hands))
        self.numbers += 1
        answer = Accepted(f"m_{self.numbers}") if is_taken else BLOCKED
        began = self.now
        self.now += timedelta(seconds=seconds)
        self.answered.append(Outcome(claim, answer, began, self.now))

    @precondition(lambda self: self.answered)
    @rule(which=st.integers(0, 9), count=st.integers(1, 3), twice=st.booleans(), together=st.booleans())
    def settle(self, which: int, count: int, twice: bool, together: bool) -> None:
        start = which % len(self.answered)
        chosen = self.answered[start : start + count]
        del self.answered[start : start + count]
        only_taken = all(isinstance(each.answer, Accepted) for each in chosen)
        for _ in range(2 if twice else 1):
            for part in [chosen] if together else [[each] for each in chosen]:
                settling.settle(part, now=self.now)
        for each in chosen:
            self._settled(each)
        self._no_mark_waits_for(max(each.started_at for each in chosen if each) if only_taken else None)

    def _settled(self, outcome: Outcome) -> None:
        claim = outcome.claim
        if isinstance(outcome.answer, Accepted):
            self.taken.append(outcome.started_at)
            self.alive[claim.customer_id].append(outcome.started_at)
        else:
            self.refused[claim.customer_id, outcome.answered_at] = claim.delivery_id

    def _no_mark_waits_for(self, began: datetime | None) -> None:
        if began is not None:
            assert not [
                c
                for c in self._all()
                if c.unreachable_at and not c.unreachable_firm_at and c.unreachable_at < began
            ]

    @rule(person=st.integers(0, PEOPLE - 1), kind=st.sampled_from(sorted(SIGNS)), ago=st.integers(0, 9))
    def sign_of_life(self, person: int, kind: str, ago: int) -> None:
        """The webhook may come late, and before or after what happened meanwhile is settled."""
        self.now += timedelta(milliseconds=1)  # no two events are the same
        at = self.now - timedelta(seconds=ago)
        processing.store_events(read(SIGNS[kind](str(250 + person), at), received_at=self.now))
        while processing.apply_pending(limit=50, now=self.now):
            pass
        self.alive[self.customers[person]].append(at)

    @precondition(lambda self: self.refused)
    @rule(which=st.integers(0, 9), count=st.integers(1, 3))
    def take_back(self, which: int, count: int) -> None:
        given = sorted(self.refused.values())[which % len(self.refused) :][:count]
        with transaction() as db:
            unreachable_marks.undo_marks_of_deliveries(db, given)
        self.undone |= set(given)

    @rule(person=st.integers(0, PEOPLE - 1))
    def staff_lift_one(self, person: int) -> None:
        lift_mark(COMMAND_LINE, self.customers[person], now=self.now)
        assert not self._row(self.customers[person]).unreachable_at

    @precondition(lambda self: self.refused)
    @rule(which=st.integers(0, 9))
    def staff_lift_all_of_a_broadcast(self, which: int) -> None:
        delivery_id = sorted(self.refused.values())[which % len(self.refused)]
        lift_marks_of(COMMAND_LINE, delivery_id, now=self.now) if delivery_id <= len(self.topics) else None

    @rule(seconds=st.sampled_from([1, 5]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def whoever_is_out_is_out_for_a_reason(self) -> None:
        if not getattr(self, "topics", None):
            return
        out = set(self.customers) - self._offered()
        for customer in self._all():
            evidence, marked_at = customer.unreachable_delivery_id, customer.unreachable_at
            assert (customer.id in out) == bool(marked_at and customer.unreachable_firm_at)
            if marked_at is None:
                continue
            assert self.refused[customer.id, marked_at] == evidence
            assert evidence not in self.undone
            assert all(sign < marked_at for sign in self.alive[customer.id])
            if customer.id in out:
                assert any(began > marked_at for began in self.taken)

    def _offered(self) -> set[int]:
        """By a broadcast on a topic that each of them holds an opt-in for."""
        topic_id = self.arrange.topic(self.fanpage_id, f"Hỏi {self.numbers}")
        self.numbers += 1
        for customer_id in self.customers:
            self.arrange.opt_in(topic_id, customer_id, fanpage_id=self.fanpage_id)
        with reading() as db:
            return {
                customer_id for _, customer_id in db.execute(eligibility.chosen_opt_ins(topic_id, self.now))
            }

    def _all(self) -> list[Customer]:
        with reading() as db:
            chosen = select(Customer).where(col(Customer.id).in_(self.customers))
            return list(db.execute(chosen).scalars())

    def _row(self, customer_id: int) -> Customer:
        return next(customer for customer in self._all() if customer.id == customer_id)


@pytest.mark.timeout(600)
def test_in_no_history_is_anybody_kept_out_without_standing_evidence(
    databases: Databases, fresh_database: TestDatabase
) -> None:
    MarkHistory.empty = lambda: databases.empty(fresh_database)
    run_histories(MarkHistory, examples=40 if fresh_database.is_sqlite else 15, steps=30)
