"""No history of actions, crashes and webhook orders uses a token twice, unbalances the books or forgets a no.

A state machine drives the real actions over a real database against a platform that takes each token once
and may lose its answer. After every step the ledger must agree with the deliveries and with the platform.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, audience_builder, queries, retry, scheduled_jobs
from core.broadcasts.rules import BroadcastState
from core.consent import ledger
from core.consent.ledger import NewOptIn
from core.consent.rules import WithdrawalSource
from core.consent.scheduled_jobs import expire_due
from core.db.engine import DATABASE_TROUBLE, reading, transaction
from core.db.tables import Broadcast, Customer, Delivery, OptIn
from core.deliveries import evidence
from core.deliveries.rules import BY_STAFF
from core.errors import WrongState
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.sending import claims, settling
from core.sending.claims import Claim, UnsureCommit
from core.sending.settling import Outcome
from tests import claiming
from tests.arrange import Arrange
from tests.databases import Databases, TestDatabase
from tests.sending.failing_commits import Fate, fated
from tests.state_machines import build_in_small_chunks, run_histories

PEOPLE = 6
LIVE = {"queued", "sending", "unknown"}
ANSWERS = st.sampled_from(["accepted", "accepted", "lost", "doubt", "temporary", "blocked", "unheard", "odd"])
STEPS = st.sampled_from([actions.resume, actions.resume, actions.pause, actions.cancel])
FAILURES = {
    "lost": Failure(NextStep.IN_DOUBT, "connection_lost"),
    "doubt": Failure(NextStep.IN_DOUBT, "timeout"),
    "temporary": Failure(NextStep.RETRY_LATER, "temporary", 400, 2),
    "blocked": Failure(NextStep.END_DELIVERY, "blocked", 400, 551),
    "unheard": Failure(NextStep.NOT_SENT, "not_connected"),
    "odd": Failure(NextStep.END_DELIVERY, "unknown_error", 400, 424242),
    "used": Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100),
}


class TokenHistory(RuleBasedStateMachine):
    """Most histories begin in the midst of sending: chance alone hardly ever comes as far as a claim."""

    empty: Callable[[], None]  # set by the test
    claimed: int  # deliveries, over all histories of a test

    @initialize(is_sending=st.sampled_from([True, True, True, False]), in_hand=st.integers(0, 3))
    def a_shop_with_customers(self, is_sending: bool, in_hand: int) -> None:
        type(self).empty()
        self.now = datetime(2026, 11, 22, 9, tzinfo=UTC)
        arrange = Arrange(self.now)
        self.fanpage_id = arrange.fanpage()
        self.topics = [arrange.topic(self.fanpage_id, f"Chủ đề {n}") for n in range(2)]
        self.customers = [arrange.customer(self.fanpage_id) for _ in range(PEOPLE)]
        self.broadcasts: list[int] = []
        self.accepted: dict[str, Claim] = {}  # token: the claim that the platform took
        self.hands: dict[str, list[Claim]] = {"worker a": [], "worker b": []}
        self.perhaps: dict[str, list[Claim]] = {"worker a": [], "worker b": []}
        self.answered: list[Outcome] = []
        self.tokens = 0
        self.noes: list[tuple[int, int | None, datetime]] = []  # customer, topic, when it was said
        if is_sending:
            for person in range(PEOPLE):
                self.tap(person, topic=0, again=False, days=0, source="webhook")
            self.launch(topic=0, minutes=None)
            self.clock_ticks()
            self.a_part_of_an_audience_is_added()
            self.claim(0, "worker a", in_hand)

    def teardown(self) -> None:
        if hasattr(self, "broadcasts"):
            self._end_well()

    @rule(
        person=st.integers(0, PEOPLE - 1),
        topic=st.integers(0, 1),
        again=st.booleans(),
        days=st.integers(0, 370),
        source=st.sampled_from(["webhook", "webhook", "import"]),
    )
    def tap(self, person: int, topic: int, again: bool, days: int, source: str) -> None:
        """Taps come late, and files come back: whatever their dates, the ledger hears of them now."""
        self.tokens += 0 if again and self.tokens else 1
        row = NewOptIn(
            fanpage_id=self.fanpage_id,
            customer_id=self.customers[person],
            topic_id=self.topics[topic],
            request_id=None,
            promise="Báo tôi khi hàng về",
            token=f"token-{self.tokens}",
            source=source,
            consented_at=self.now - timedelta(days=days),
            created_at=self.now,
        )
        with transaction() as db:
            ledger.record_imported(db, [row, row])  # the platform delivers at least once

    @rule(topic=st.integers(0, 1), minutes=st.none() | st.integers(1, 60))
    def launch(self, topic: int, minutes: int | None) -> None:
        broadcast_id = actions.create_broadcast(
            COMMAND_LINE,
            topic_id=self.topics[topic],
            content={"kind": "text", "text": "Hàng đã về"},
            now=self.now,
        )
        late = self.now + timedelta(minutes=minutes) if minutes else None
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, best_before=late, now=self.now)
        self.broadcasts.append(broadcast_id)

    @rule()
    def a_part_of_an_audience_is_added(self) -> None:
        audience_builder.build_audiences(lambda: self.now, rest=lambda _: True)

    @rule()
    def clock_ticks(self) -> None:
        scheduled_jobs.end_too_late(now=self.now)
        scheduled_jobs.start_due(now=self.now)
        scheduled_jobs.finish_done(now=self.now)

    @precondition(lambda self: self.broadcasts)
    @rule(which=st.integers(0, 20), step=STEPS)
    def staff_act(self, which: int, step) -> None:
        with contextlib.suppress(WrongState):
            step(COMMAND_LINE, self.broadcasts[which % len(self.broadcasts)], now=self.now)

    @precondition(lambda self: self.broadcasts)
    @rule(
        which=st.integers(0, 20),
        step=st.sampled_from(
            [
                retry.try_again,
                retry.retry_failed,
                retry.send_to_rest,
                retry.count_as_sent,
            ]
        ),
    )
    def staff_give_a_second_chance(self, which: int, step) -> None:
        with contextlib.suppress(WrongState):
            step(COMMAND_LINE, self.broadcasts[which % len(self.broadcasts)], now=self.now)

    @precondition(lambda self: self.broadcasts)
    @rule(which=st.integers(0, 20), worker=st.sampled_from(["worker a", "worker b"]), count=st.integers(1, 4))
    def claim(self, which: int, worker: str, count: int) -> None:
        broadcast_id = self.broadcasts[which % len(self.broadcasts)]
        self._hand_back_perhaps(worker)
        taken = claiming.claim(broadcast_id, count, worker=worker, now=self.now)
        with reading() as db:
            assert not [one for one in taken if self._said_no(db.get_one(OptIn, one.needs.opt_in_id))]
        self.hands[worker] += taken
        type(self).claimed += len(taken)

    @precondition(lambda self: self.broadcasts)
    @rule(which=st.integers(0, 20), worker=st.sampled_from(["worker a", "worker b"]), kind=ANSWERS)
    def turn(self, which: int, worker: str, kind: str) -> None:
        """Claim, call and settle without anything between, as the loop mostly does."""
        self.claim(which, worker, count=2)
        self.call_the_platform(worker, kind)
        self.settle_together(twice=False, only_accepted=False)

    @precondition(lambda self: self.broadcasts)
    @rule(
        which=st.integers(0, 20),
        worker=st.sampled_from(["worker a", "worker b"]),
        fate=st.sampled_from([Fate.BEFORE, Fate.AFTER]),
    )
    def claim_and_never_hear_of_it(self, which: int, worker: str, fate: Fate) -> None:
        broadcast_id = self.broadcasts[which % len(self.broadcasts)]
        self._hand_back_perhaps(worker)
        try:
            with fated(lambda: fate):
                claiming.claim(broadcast_id, 3, worker=worker, now=self.now)
        except UnsureCommit as unsure:
            self.perhaps[worker] = list(unsure.claims)
        except DATABASE_TROUBLE:
            pass  # there was nothing to claim

    def _hand_back_perhaps(self, worker: str) -> None:
        claims.hand_back(self.perhaps[worker], worker=worker, now=self.now)
        self.perhaps[worker] = []

    @rule(worker=st.sampled_from(["worker a", "worker b"]), kind=ANSWERS)
    def call_the_platform(self, worker: str, kind: str) -> None:
        if self.hands[worker]:
            self._call(self.hands[worker].pop(0), kind)

    def _call(self, claim: Claim, kind: str) -> None:
        if kind in ("accepted", "lost") and claim.needs.token not in self.accepted:
            self.accepted[claim.needs.token] = claim
            answer = Accepted(f"m_{claim.needs.token}") if kind == "accepted" else FAILURES["lost"]
        elif kind == "accepted":
            first = self.accepted[claim.needs.token]
            assert first.delivery_id == claim.delivery_id, "a token was used for two deliveries"
            answer = FAILURES["used"]
        else:
            answer = FAILURES[kind]
        self.answered.append(Outcome(claim, answer))

    @precondition(lambda self: self.answered)
    @rule(which=st.integers(0, 20), twice=st.booleans())
    def settle(self, which: int, twice: bool) -> None:
        outcome = self.answered.pop(which % len(self.answered))
        for _ in range(2 if twice else 1):
            settling.settle([outcome], now=self.now)

    @precondition(lambda self: self.answered)
    @rule(twice=st.booleans(), only_accepted=st.booleans())
    def settle_together(self, twice: bool, only_accepted: bool) -> None:
        chosen = [e for e in self.answered if not only_accepted or isinstance(e.answer, Accepted)]
        self.answered = [each for each in self.answered if each not in chosen]
        for _ in range(2 if twice else 1):
            settling.settle(chosen, now=self.now)

    @rule(worker=st.sampled_from(["worker a", "worker b"]))
    def hand_back(self, worker: str) -> None:
        claims.hand_back(self.hands[worker], worker=worker, now=self.now)
        self.hands[worker] = []

    @rule(worker=st.sampled_from(["worker a", "worker b"]), loses_answers=st.booleans())
    def crash(self, worker: str, loses_answers: bool) -> None:
        self.hands[worker], self.perhaps[worker] = [], []
        if loses_answers:
            self.answered = []

    @rule(seconds=st.sampled_from([1, 10, 70, 600, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        claims.take_over_lost(now=self.now)
        expire_due(now=self.now)

    @precondition(lambda self: self.accepted)
    @rule(which=st.integers(0, 20))
    def echo_arrives(self, which: int) -> None:
        claim = list(self.accepted.values())[which % len(self.accepted)]
        self._echo(claim)

    def _echo(self, claim: Claim) -> None:
        with transaction() as db:
            psid = db.get_one(Customer, claim.customer_id).psid
            metadata = evidence.metadata_of(claim.delivery_id)
            evidence.note_echo(
                db, fanpage_id=self.fanpage_id, psid=psid, mid="m_echo", metadata=metadata, at=self.now
            )

    @rule(person=st.integers(0, PEOPLE - 1), read=st.booleans(), seconds=st.integers(-100, 100))
    def watermark_arrives(self, person: int, read: bool, seconds: int) -> None:
        """It moves no delivery and no token, whatever it says."""
        at = self.now + timedelta(seconds=seconds)
        with transaction() as db:
            psid = db.get_one(Customer, self.customers[person]).psid
            whose = {"fanpage_id": self.fanpage_id, "psid": psid, "watermark_at": at}
            before = self._states()
            if read:
                evidence.note_read(db, **whose)
            else:
                evidence.note_delivered(db, **whose, mids=["m_unknown"], at=at)
        assert self._states() == before

    def _states(self) -> list[tuple[int | None, str]]:
        with reading() as db:
            return sorted(tuple(row) for row in db.execute(select(col(Delivery.id), col(Delivery.state))))

    @rule(
        person=st.integers(0, PEOPLE - 1),
        topic=st.none() | st.integers(0, 1),
        hours=st.sampled_from([0, 0, 1, 30, 24 * 200]),
    )
    def customer_withdraws(self, person: int, topic: int | None, hours: int) -> None:
        """What they wrote may reach us late."""
        topic_id = None if topic is None else self.topics[topic]
        said_at = self.now - timedelta(hours=hours)
        self.noes.append((self.customers[person], topic_id, said_at))
        with transaction() as db:
            ledger.withdraw(
                db,
                self.customers[person],
                topic_id,
                fanpage_id=self.fanpage_id,
                source=WithdrawalSource.KEYWORD,
                at=said_at,
                now=self.now,
            )

    def _said_no(self, opt_in: OptIn) -> bool:
        """In plain words what `consent.withdrawals` says in SQL."""
        noes = [
            at
            for customer_id, topic_id, at in self.noes
            if customer_id == opt_in.customer_id and topic_id in (None, opt_in.topic_id)
        ]
        if not noes:
            return False
        taps = [
            other.consented_at
            for other, _ in self._opt_ins()
            if other.source == "webhook"
            and (other.customer_id, other.topic_id) == (opt_in.customer_id, opt_in.topic_id)
        ]
        lifted = any(tap > max(noes) for tap in taps)
        return opt_in.consented_at <= max(noes) or (opt_in.source == "import" and not lifted)

    @invariant()
    def no_consent_outlives_a_no(self) -> None:
        if not hasattr(self, "broadcasts"):
            return
        for opt_in, _ in self._opt_ins():
            if opt_in.state in ("available", "reserved", "refused"):
                assert not self._said_no(opt_in)

    @invariant()
    def the_books_balance(self) -> None:
        if not hasattr(self, "broadcasts"):
            return
        for broadcast_id in self.broadcasts:
            shown = queries.get_broadcast(broadcast_id)
            assert shown.balances, f"{shown.audience} people but {shown.counts}"

    @invariant()
    def the_ledger_agrees_with_the_deliveries(self) -> None:
        if not hasattr(self, "broadcasts"):
            return
        for opt_in, deliveries in self._opt_ins():
            states = [d.state for d in deliveries]
            live = [s for s in states if s in LIVE]
            kept_for_staff = [d for d in deliveries if d.state == "failed" and d.reason == "unknown_error"]
            if opt_in.state == "available":
                assert not live
                assert "sent" not in states
            elif opt_in.state == "spent":
                assert states.count("sent") == 1
                assert not live
            elif opt_in.state == "reserved":
                assert len(live) == 1 or (not live and kept_for_staff)  # kept until the breaker gave it back
                assert "sent" not in states
            assert states.count("sent") <= 1

    @invariant()
    def only_who_asked_for_the_topic_was_sent_anything(self) -> None:
        if not hasattr(self, "broadcasts"):
            return
        with reading() as db:
            for claim in self.accepted.values():
                opt_in = db.get_one(OptIn, claim.needs.opt_in_id)
                broadcast = db.get_one(Broadcast, claim.broadcast_id)
                assert (opt_in.topic_id, opt_in.customer_id) == (broadcast.topic_id, claim.customer_id)

    def _opt_ins(self) -> list[tuple[OptIn, list[Delivery]]]:
        with reading() as db:
            deliveries = db.execute(select(Delivery)).scalars().all()
            return [
                (opt_in, [d for d in deliveries if d.opt_in_id == opt_in.id])
                for opt_in in db.execute(select(OptIn)).scalars()
            ]

    def _end_well(self) -> None:
        """The crash is over and the platform is well again: nothing is left hanging."""
        for outcome in self.answered:
            settling.settle([outcome], now=self.now)
        self.answered, self.hands = [], {"worker a": [], "worker b": []}
        self.perhaps = {"worker a": [], "worker b": []}
        for broadcast_id in self.broadcasts:
            if queries.get_broadcast(broadcast_id).state == BroadcastState.PAUSED:
                actions.resume(COMMAND_LINE, broadcast_id, now=self.now)
        for _ in range(12):
            self.now += timedelta(seconds=90)
            claims.take_over_lost(now=self.now)
            self.clock_ticks()
            audience_builder.build_audiences(lambda: self.now)
            for broadcast_id in self.broadcasts:
                for claim in claiming.claim(broadcast_id, 50, worker="worker a", now=self.now):
                    self._call(claim, "accepted")
            for outcome in self.answered:
                settling.settle([outcome], now=self.now)
            self.answered = []
        for claim in list(self.accepted.values()):
            self._echo(claim)
        self.clock_ticks()
        self.the_books_balance()
        self.the_ledger_agrees_with_the_deliveries()
        for broadcast_id in self.broadcasts:
            assert queries.get_broadcast(broadcast_id).state in ("finished", "cancelled", "missed")
        self._taken_tokens_are_spent()

    def _taken_tokens_are_spent(self) -> None:
        taken = {claim.needs.opt_in_id for claim in self.accepted.values()}
        for opt_in, deliveries in self._opt_ins():
            if opt_in.id in taken:
                assert opt_in.state in ("spent", "withdrawn")
            elif not any(d.evidence == BY_STAFF for d in deliveries):
                assert opt_in.state != "spent"


@pytest.mark.timeout(600)
def test_no_history_uses_a_token_twice_or_unbalances_the_books(
    databases: Databases, fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_in_small_chunks(monkeypatch)
    run_token_histories(TokenHistory, databases, fresh_database)


def run_token_histories(
    machine: type[TokenHistory], databases: Databases, database: TestDatabase, *, sqlite: int = 40
) -> None:
    """Half as many histories on a database that is not SQLite; fails when they hardly ever claimed."""
    machine.empty = lambda: databases.empty(database)
    machine.claimed = 0
    examples = sqlite if database.is_sqlite else sqlite // 2
    run_histories(machine, examples=examples, steps=40)
    assert machine.claimed > examples // 2, f"only {machine.claimed} claims in {examples} histories"
