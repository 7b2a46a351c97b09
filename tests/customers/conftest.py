"""The sending studio, and one broadcast after another to the same people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import count

import pytest

from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, Answer
from core.sending import settling
from core.sending.senders.sender import Claim
from core.sending.settling import Outcome
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio, call_threads, studio  # noqa: F401

BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551, detail='{"code": 551}')
SECOND = timedelta(seconds=1)
MARKS = "SELECT unreachable_code, unreachable_firm_at IS NOT NULL FROM customer ORDER BY id"
NONE, TENTATIVE, FIRM = (None, False), ("blocked", False), ("blocked", True)


class Shop:
    """A studio and its answers, given out one by one."""

    def __init__(self, studio: Studio, database: TestDatabase) -> None:  # noqa: F811
        self.studio, self.database, self._numbers = studio, database, count()

    def customer(self, **more: object) -> int:
        return self.studio.arrange.customer(self.studio.fanpage_id, **{"search_text": "lan", **more})

    def opt_in(self, customer_id: int) -> int:
        return self.studio.arrange.opt_in(
            self.studio.topic_id, customer_id, fanpage_id=self.studio.fanpage_id
        )

    def claims_for(self, *customer_ids: int) -> list[Claim]:
        """By a new broadcast, in the order of these customers."""
        for customer_id in customer_ids:
            self.opt_in(customer_id)
        broadcast_id = self.studio.broadcast()
        self.studio.launch(broadcast_id)
        taken = claiming.claim(broadcast_id, 50, worker="worker a", now=self.studio.now)
        by_customer = {claim.customer_id: claim for claim in taken}
        return [by_customer[each] for each in customer_ids]

    def outcome(self, claim: Claim, answer: Answer | None = None, **times: float) -> Outcome:
        """Accepted unless told; `began` and `ended` in seconds from now."""
        began, ended = (
            self.studio.now + SECOND * times.get(name, fallback)
            for name, fallback in (("began", 0), ("ended", times.get("began", 0)))
        )
        return Outcome(claim, answer or Accepted(f"m_{next(self._numbers)}"), began, ended)

    def settle(self, *outcomes: Outcome) -> None:
        settling.settle(outcomes, now=self.studio.now)

    def refuse(self, *customer_ids: int) -> list[Claim]:
        """By a broadcast of its own; a minute passes."""
        taken = self.claims_for(*customer_ids)
        self.settle(*(self.outcome(claim, BLOCKED) for claim in taken))
        self.studio.pass_time(minutes=1)
        return taken

    def accept(self, *customer_ids: int) -> None:
        """On a topic of its own, so that it takes nobody else's opt-in; a minute passes."""
        usual = self.studio.topic_id
        self.another_topic()
        self.settle(*(self.outcome(claim) for claim in self.claims_for(*customer_ids)))
        self.studio.topic_id = usual
        self.studio.pass_time(minutes=1)

    def another_topic(self) -> None:
        name = f"Chủ đề {next(self._numbers)}"
        self.studio.topic_id = self.studio.arrange.topic(self.studio.fanpage_id, name)

    def marks(self) -> list[tuple[object, ...]]:
        return [(code, bool(firm)) for code, firm in self.database.rows(MARKS)]


@pytest.fixture
def shop(studio: Studio, fresh_database: TestDatabase) -> Shop:  # noqa: F811
    return Shop(studio, fresh_database)


@pytest.fixture
def make_firm(shop: Shop) -> Callable[[Sequence[int]], list[Claim]]:
    """These are refused, then somebody else is reached."""

    def make(customer_ids: Sequence[int]) -> list[Claim]:
        refused = shop.refuse(*customer_ids)
        shop.accept(shop.customer(first_name="Reached"))
        return refused

    return make
