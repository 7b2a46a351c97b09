"""Many at once on one database: workers, staff, customers and the clock, for the same broadcasts.

On PostgreSQL they really meet: no order of theirs may lock up, use a token twice or unbalance the books.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, retry, scheduled_jobs
from core.consent.scheduled_jobs import expire_due
from core.consent.withdrawal_actions import withdraw_customer
from core.conversation.rules import ReplyState
from core.db.engine import DATABASE_TROUBLE, reading, transaction
from core.db.tables import Customer, Delivery, Fanpage, OptIn, Reply
from core.deliveries.evidence import metadata_of
from core.errors import WrongState
from core.fanpages.actions import resume_broadcasts
from core.inbox import processing
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, Answer
from core.sending import claims, settling
from core.sending.claiming import ClaimedBatch, SlotsMoved
from core.sending.replies import claims as reply_claims
from core.sending.replies import settling as reply_settling
from core.sending.replies.settling import ReplyOutcome
from core.sending.settling import Outcome
from tests import claiming
from tests.arrange import Arrange
from tests.inbox.platform import event, milliseconds, read, said

PEOPLE = 60
BROADCASTS = 4
ROUNDS = 25
PAGE = "100000000000001"
REFUSALS = [
    Failure(NextStep.RETRY_LATER, "temporary", 400, 2),
    Failure(NextStep.IN_DOUBT, "timeout"),
    Failure(NextStep.END_DELIVERY, "blocked", 400, 551),
    Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100),
    Failure(NextStep.SLOW_DOWN, "too_fast", 400, 613),
    Failure(NextStep.STOP_FANPAGE, "token_invalid", 400, 190),
]


@dataclass
class Crowd:
    """One fanpage, everybody with opt-ins for two topics, and a platform that takes each token once."""

    arrange: Arrange
    now: datetime
    accepted: dict[str, int] = field(default_factory=dict)  # token: delivery
    troubles: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.fanpage_id = self.arrange.fanpage(page_id=PAGE, rate=300)
        self.topics = [self.arrange.topic(self.fanpage_id, f"Chủ đề {n}") for n in range(2)]
        self.psids = [str(2500 + n) for n in range(PEOPLE)]
        self.customers = [self.arrange.customer(self.fanpage_id, psid=psid) for psid in self.psids]
        for topic in self.topics:
            for customer in self.customers * 2:
                self.arrange.opt_in(topic, customer, fanpage_id=self.fanpage_id)
        self.broadcasts = [self._broadcast(self.topics[n % 2]) for n in range(BROADCASTS)]

    def _broadcast(self, topic: int) -> int:
        made = actions.create_broadcast(
            COMMAND_LINE, topic_id=topic, content={"kind": "text", "text": "Đã về"}, now=self.now
        )
        actions.schedule(COMMAND_LINE, made, at=None, now=self.now)
        return made

    def live(self, *parts: Callable[[random.Random], None]) -> None:
        """Everybody does their part many times over, all at the same time."""

        def keep_on(number: int) -> None:
            chance = random.Random(number)
            for _ in range(ROUNDS):
                try:
                    parts[number](chance)
                except WrongState:
                    pass
                except DATABASE_TROUBLE as problem:
                    self.troubles[type(problem.__cause__).__name__] += 1

        with ThreadPoolExecutor(len(parts)) as pool:
            for done in [pool.submit(keep_on, number) for number in range(len(parts))]:
                done.result()

    def send(self, chance: random.Random) -> None:
        worker = f"worker {chance.randrange(3)}"
        broadcasts = self.broadcasts if chance.random() < 0.3 else [chance.choice(self.broadcasts)]
        taken = self._claim(worker, 12, broadcasts, has_replies=False).deliveries
        chance.shuffle(taken)
        outcomes = [Outcome(each, self._answer(each, chance)) for each in taken if chance.random() < 0.9]
        settling.settle(outcomes, now=self.now)
        if chance.random() < 0.5:
            settling.settle(outcomes, now=self.now)
        settled = {outcome.claim.delivery_id for outcome in outcomes}
        lost = [each for each in taken if each.delivery_id not in settled]
        claims.hand_back(lost[::2], worker=worker, now=self.now)  # the others died with their worker

    def _claim(self, worker: str, count: int, broadcasts: list[int], *, has_replies: bool) -> ClaimedBatch:
        """Again when another worker has just moved a slot."""
        while True:
            wanted = claiming.wanted(self.fanpage_id, count, broadcasts, has_replies=has_replies)
            with suppress(SlotsMoved):
                (taken,) = claiming.claim_of(wanted, worker=worker, now=self.now)
                return taken

    def _answer(self, claim: claims.Claim, chance: random.Random) -> Answer:
        with self._lock:
            if claim.needs.token in self.accepted:
                assert self.accepted[claim.needs.token] == claim.delivery_id, "a token for two deliveries"
                return Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100)
            if chance.random() < 0.25:
                return chance.choices(REFUSALS, [3, 3, 2, 1, 2, 1])[0]
            self.accepted[claim.needs.token] = claim.delivery_id
            if chance.random() < 0.1:
                return Failure(NextStep.IN_DOUBT, "connection_lost")
            return Accepted(f"m_{claim.delivery_id}")

    def repair(self, _chance: random.Random) -> None:
        """Somebody renews the access token at once, whenever Messenger stops the fanpage."""
        with transaction() as db:
            fanpage = db.get_one(Fanpage, self.fanpage_id, with_for_update={"key_share": True})
            fanpage.stopped_code = None
            resume_broadcasts(db, self.fanpage_id, self.now)

    def clock(self, chance: random.Random) -> None:
        now = self.now + timedelta(seconds=chance.choice([0, 0, 40]))
        claims.take_over_lost(now=now)
        scheduled_jobs.start_due(now=self.now)
        scheduled_jobs.finish_done(now=self.now)
        scheduled_jobs.sweep(now=self.now)
        reply_claims.end_lost(now=now)
        expire_due(now=self.now)

    def staff(self, chance: random.Random) -> None:
        steps: list[Callable[..., object]] = [actions.pause, actions.resume, actions.pause, actions.resume]
        steps += [retry.try_again, retry.retry_failed, retry.send_to_rest]
        steps += [retry.count_as_sent, actions.cancel]
        weights = [6, 8, 6, 8, 3, 3, 3, 1, 1]
        chance.choices(steps, weights)[0](COMMAND_LINE, chance.choice(self.broadcasts), now=self.now)
        if chance.random() < 0.2:
            withdraw_customer(COMMAND_LINE, chance.choice(self.customers), now=self.now)

    def customers_act(self, chance: random.Random) -> None:
        events = []
        for psid in chance.sample(self.psids, 20):
            mark = {"watermark": milliseconds(self.now)}
            events.append(
                chance.choice(
                    [
                        said(psid, self.now, "khuyến mãi", f"in {chance.random()}"),
                        event(psid, self.now, read=mark),
                        event(psid, self.now, delivery=mark),
                    ]
                )
            )
        with self._lock:
            echoed = chance.sample(sorted(self.accepted.values()), min(10, len(self.accepted)))
        events += [self._echo(delivery_id) for delivery_id in echoed]
        processing.store_events(read(*events, received_at=self.now))
        processing.apply_pending(500, self.now)

    def _echo(self, delivery_id: int) -> dict:
        with reading() as db:
            psid = db.execute(
                select(col(Customer.psid))
                .join(Delivery, col(Delivery.customer_id) == col(Customer.id))
                .where(col(Delivery.id) == delivery_id)
            ).scalar_one()
        message = {"mid": f"m_{delivery_id}", "is_echo": True, "metadata": metadata_of(delivery_id)}
        return {
            "sender": {"id": PAGE},
            "recipient": {"id": psid},
            "timestamp": milliseconds(self.now),
            "message": message,
        }

    def answer_customers(self, chance: random.Random) -> None:
        for customer_id in chance.sample(self.customers, 10):
            row = {"fanpage_id": self.fanpage_id, "customer_id": customer_id, "state": ReplyState.QUEUED}
            self.arrange.save(Reply(**row, body={"text": "Chào"}, created_at=self.now))
        taken = self._claim("worker r", 10, [], has_replies=True).replies
        answers = [
            ReplyOutcome(each, chance.choice([Accepted(f"r_{each.reply_id}"), *REFUSALS[:3]]), None, True)
            for each in taken
        ]
        reply_settling.settle(answers, now=self.now)

    def the_books_agree(self) -> None:
        for broadcast_id in self.broadcasts:
            shown = queries.get_broadcast(broadcast_id)
            assert shown.balances, f"{shown.audience} people but {shown.counts}"
        with reading() as db:
            deliveries = db.execute(select(Delivery)).scalars().all()
            for opt_in in db.execute(select(OptIn)).scalars():
                states = [d.state for d in deliveries if d.opt_in_id == opt_in.id]
                live = [s for s in states if s in ("queued", "sending", "unknown")]
                assert len(live) <= 1, (opt_in.id, states)
                if opt_in.state == "available":
                    assert not live, (opt_in.id, states)
                    assert "sent" not in states, (opt_in.id, states)
                elif opt_in.state == "spent":
                    assert states.count("sent") == 1, (opt_in.id, states)
                    assert not live, (opt_in.id, states)
                elif opt_in.state == "reserved":
                    assert live or "failed" in states, (opt_in.id, states)


@pytest.mark.timeout(300)
def test_all_at_once_they_neither_lock_up_nor_lose_or_double_anything(
    arrange: Arrange, now, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough that two who wait for each other are found out, and the books know of every answer.
    for module, name in (
        (settling, "PATIENCE_OF_ALL"),
        (reply_claims, "PATIENCE_OF_ALL"),
        (reply_settling, "PATIENCE_OF_ALL"),
        (claims, "PATIENCE"),
    ):
        monkeypatch.setattr(module, name, "20s")
    crowd = Crowd(arrange, now)
    scheduled_jobs.start_due(now=now)
    crowd.live(
        crowd.send,
        crowd.send,
        crowd.send,
        crowd.clock,
        crowd.repair,
        crowd.staff,
        crowd.staff,
        crowd.customers_act,
        crowd.customers_act,
        crowd.answer_customers,
    )
    crowd.the_books_agree()
    assert crowd.accepted
    # A deadlock ends one of the two, which is tried again; but an order of locks that is wrong makes many.
    assert crowd.troubles.total() <= 1, crowd.troubles
