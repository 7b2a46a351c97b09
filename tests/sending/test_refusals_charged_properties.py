"""Whatever code is refused, and in whatever order: few are charged for it, and no doubt is given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, scheduled_jobs
from core.db.engine import reading
from core.db.tables import Customer, Delivery, OptIn
from core.deliveries.breaker import MOST, RUN, WINDOW
from core.messenger import connection_check
from core.messenger.errors import Failure, NextStep, classify
from core.messenger.send_responses import Accepted, Answer
from core.sending import settling
from core.sending.claims import Claim
from core.sending.settling import Outcome
from tests import claiming
from tests.arrange import Arrange
from tests.databases import Databases, TestDatabase

PEOPLE = 70
CODES = [(551, 1545041), (551, None), (230, None), (200, None), (100, None), (100, 33), (100, 2018001)]
CODES += [(283, None), (10, 424242), (10, 2018278), (31337, None), (100, 2018047)]
DOUBT = Failure(NextStep.IN_DOUBT, "timeout")


class History:
    """A broadcast whose outcomes are settled in parts; the connection works all the while."""

    def __init__(self, code: tuple[int, int | None], refused: list[bool], doubts: set[int]) -> None:
        self.now = datetime(2026, 11, 22, 9, tzinfo=UTC)
        arrange = Arrange(self.now)
        self.fanpage_id = arrange.fanpage()
        topic_id = arrange.topic(self.fanpage_id)
        for n in range(PEOPLE):
            customer_id = arrange.customer(self.fanpage_id)
            arrange.opt_in(topic_id, customer_id, fanpage_id=self.fanpage_id, token=f"token-{n}")
        content = {"kind": "text", "text": "Hàng đã về"}
        self.broadcast_id = actions.create_broadcast(
            COMMAND_LINE, topic_id=topic_id, content=content, now=self.now
        )
        actions.schedule(COMMAND_LINE, self.broadcast_id, at=None, now=self.now)
        scheduled_jobs.start_due(now=self.now)
        failure = classify(400, {"code": code[0], "error_subcode": code[1]}, by_token=True)
        self.refusal = connection_check.attribute_refusal(failure, None)
        self.refused, self.doubts = refused, doubts
        self.ended: list[int] = []  # deliveries, in the order of their outcomes

    def answer(self, claim: Claim) -> Answer:
        number = int(claim.needs.token.removeprefix("token-"))
        if number in self.doubts and claim.claim_number == 1:
            return DOUBT
        return self.refusal if self.refused[number % len(self.refused)] else Accepted(f"m_{number}")

    def part(self, size: int) -> None:
        taken = claiming.claim(self.broadcast_id, size, worker="worker a", now=self.now)
        outcomes = [Outcome(each, self.answer(each), self.now, self.now) for each in taken]
        settling.settle(outcomes, now=self.now)
        self.ended += [o.claim.delivery_id for o in outcomes if o.answer is not DOUBT]
        self.now += timedelta(seconds=90)

    def resume(self) -> None:
        if queries.get_broadcast(self.broadcast_id).state == "paused":
            actions.resume(COMMAND_LINE, self.broadcast_id, now=self.now)

    def charged(self) -> set[int]:
        """Deliveries that failed, and whose customer is marked or whose opt-in is not free again."""
        with reading() as db:
            rows = db.execute(
                select(col(Delivery.id), col(Customer.unreachable_at), col(OptIn.state))
                .join(Customer, col(Customer.id) == col(Delivery.customer_id))
                .join(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))
                .where(col(Delivery.state) == "failed")
            )
            return {each or 0 for each, marked_at, state in rows if marked_at or state != "available"}

    def opt_ins_in_doubt(self) -> set[str]:
        with reading() as db:
            rows = db.execute(
                select(col(OptIn.state))
                .join(Delivery, col(Delivery.opt_in_id) == col(OptIn.id))
                .where(col(Delivery.in_doubt), col(Delivery.state) != "sent")
            )
            return set(rows.scalars())


def check(history: History) -> None:
    now_charged = history.charged()
    charged = [each in now_charged for each in history.ended]
    for end in range(1, len(charged) + 1):
        assert sum(charged[max(0, end - WINDOW) : end]) < MOST
        assert sum(charged[max(0, end - RUN) : end]) < RUN
    assert history.opt_ins_in_doubt() <= {"reserved"}
    assert queries.get_broadcast(history.broadcast_id).balances


def test_few_are_charged_for_any_code_and_no_doubt_is_given_back(
    databases: Databases, fresh_database: TestDatabase
) -> None:
    empty: Callable[[], None] = lambda: databases.empty(fresh_database)  # noqa: E731

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        code=st.sampled_from(CODES),
        refused=st.lists(st.sampled_from([True, True, True, True, False]), min_size=1, max_size=PEOPLE),
        doubts=st.sets(st.integers(0, PEOPLE - 1), max_size=8),
        sizes=st.lists(st.integers(1, 40), min_size=3, max_size=12),
        resumes=st.sets(st.integers(0, 11), max_size=3),
    )
    def holds(code, refused, doubts, sizes, resumes) -> None:
        empty()
        history = History(code, refused, doubts)
        for place, size in enumerate(sizes):
            history.part(size)
            check(history)
            if place in resumes:
                history.resume()

    holds()
