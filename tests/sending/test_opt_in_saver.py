"""The opt-in saver: whoever has just written gets an ordinary message and keeps the opt-in, never both."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from sqlalchemy import select, update
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, retry
from core.broadcasts.draft_rules import OPT_IN_SAVER
from core.consent import withdrawal_actions
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Customer, Delivery, OptIn
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.sending.claims import Claim
from core.sending.settling import Outcome
from tests import claiming
from tests.databases import Databases, TestDatabase
from tests.sending.conftest import Studio
from tests.sending.test_token_properties import FAILURES, PEOPLE, TokenHistory, run_token_histories
from tests.state_machines import build_in_small_chunks

DOUBT = Failure(NextStep.IN_DOUBT, "timeout")
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)


def writes(customer_id: int, until) -> None:
    with transaction() as db:
        theirs = col(Customer.id) == customer_id
        db.execute(update(Customer).where(theirs).values(window_closes_at=until))


def saver(studio: Studio) -> int:
    broadcast_id = studio.broadcast()
    with transaction() as db:
        of_it = col(Broadcast.id) == broadcast_id
        db.execute(update(Broadcast).where(of_it).values(sender=OPT_IN_SAVER))
    studio.launch(broadcast_id)
    return broadcast_id


def people(studio: Studio, count: int, *, writing: int) -> list[int]:
    """Who holds an opt-in; the first of them have just written."""
    studio.people(count)
    with reading() as db:
        ids = sorted(db.execute(select(col(OptIn.customer_id))).scalars())
    for customer_id in ids[:writing]:
        writes(customer_id, studio.now + timedelta(hours=20))
    return ids


def test_who_has_just_written_keeps_the_opt_in(studio: Studio, opt_in_states) -> None:
    people(studio, 10, writing=4)
    broadcast_id = saver(studio)
    studio.send_all(rounds=2)
    assert (studio.show(broadcast_id).counts["sent"], studio.show(broadcast_id).balances) == (10, True)
    assert opt_in_states() == {"available": 4, "spent": 6}
    assert len(studio.platform.to_psids) == 4
    assert sum(studio.platform.accepted.values()) == 6


def test_by_itself_a_broadcast_spares_nothing(studio: Studio, opt_in_states) -> None:
    people(studio, 3, writing=3)
    studio.launch(studio.broadcast())
    studio.send_all(rounds=2)
    assert opt_in_states() == {"spent": 3}
    assert not studio.platform.to_psids


def test_a_window_that_has_closed_before_the_claim_costs_the_opt_in(studio: Studio, opt_in_states) -> None:
    """The audience was built while it was open; what counts is the moment of the claim."""
    (customer_id,) = people(studio, 1, writing=1)
    broadcast_id = saver(studio)
    writes(customer_id, studio.now + timedelta(seconds=30))
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["sent"] == 1
    assert (opt_in_states(), studio.platform.to_psids) == ({"spent": 1}, [])


def test_an_ordinary_message_in_doubt_is_for_staff_and_never_sent_by_the_opt_in(
    studio: Studio, opt_in_states
) -> None:
    (customer_id,) = people(studio, 1, writing=1)
    studio.platform.by_psid = lambda _body: DOUBT
    broadcast_id = saver(studio)
    studio.send_all(rounds=3)
    assert studio.show(broadcast_id).counts["unknown"] == 1
    assert opt_in_states() == {"available": 1}
    writes(customer_id, None)
    retry.try_again(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=3)
    assert studio.show(broadcast_id).counts["unknown"] == 1
    assert opt_in_states() == {"available": 1}
    assert not studio.platform.tries


def test_a_worker_that_dies_with_an_ordinary_message_leaves_it_to_staff(
    studio: Studio, opt_in_states
) -> None:
    people(studio, 2, writing=1)
    broadcast_id = saver(studio)
    studio.loop()
    taken = claiming.claim(broadcast_id, 2, worker="worker b", now=studio.now)
    assert {each.sender.name for each in taken} == {"inside_window", "one_time_token"}
    studio.pass_time(seconds=90)
    studio.send_all(rounds=2)
    counts = studio.show(broadcast_id).counts
    assert (counts["unknown"], counts["sent"]) == (1, 1)
    assert opt_in_states() == {"available": 1, "spent": 1}


def test_who_was_refused_an_ordinary_message_keeps_the_opt_in_for_a_copy(
    studio: Studio, opt_in_states
) -> None:
    people(studio, 1, writing=1)
    studio.platform.by_psid = lambda _body: Failure(NextStep.END_DELIVERY, "window_closed", 400, 10)
    broadcast_id = saver(studio)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).reasons == {"window_closed": 1}
    assert opt_in_states() == {"available": 1}
    copied = actions.copy_broadcast(COMMAND_LINE, broadcast_id, now=studio.now)
    assert queries.get_broadcast(copied).saves_opt_ins
    studio.platform.by_psid = lambda _body: None
    studio.launch(copied)
    studio.send_all(rounds=2)
    assert studio.show(copied).counts["sent"] == 1


def test_who_withdrew_after_the_start_gets_neither(studio: Studio) -> None:
    (customer_id,) = people(studio, 1, writing=1)
    broadcast_id = saver(studio)
    studio.loop()
    with transaction() as db:
        db.execute(update(OptIn).where(col(OptIn.customer_id) == customer_id).values(state="withdrawn"))
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).reasons == {"withdrawn": 1}
    assert not studio.platform.to_psids


def test_who_withdrew_between_two_attempts_gets_no_ordinary_message(studio: Studio, opt_in_states) -> None:
    (customer_id,) = people(studio, 1, writing=1)
    studio.platform.by_psid = lambda _body: Failure(NextStep.RETRY_LATER, "temporary", 500, 2)
    broadcast_id = saver(studio)
    studio.send_all(rounds=1)
    assert (studio.show(broadcast_id).counts["queued"], opt_in_states()) == (1, {"available": 1})
    withdrawal_actions.withdraw_customer(COMMAND_LINE, customer_id, now=studio.now)
    studio.platform.by_psid = lambda _body: None
    studio.platform.to_psids.clear()
    studio.pass_time(seconds=3600)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).reasons == {"withdrawn": 1}
    assert not studio.platform.to_psids


def test_who_said_no_to_another_topic_still_gets_the_ordinary_message(studio: Studio) -> None:
    """With broadcasts about other topics beside it, and people who agreed to them."""
    first, second = people(studio, 2, writing=2)
    elsewhere = studio.arrange.topic(studio.fanpage_id, "Chủ đề khác")
    about_it = studio.arrange.opt_in(elsewhere, first, fanpage_id=studio.fanpage_id)
    topic_id, studio.topic_id = studio.topic_id, elsewhere
    other_id = studio.broadcast()
    studio.topic_id = topic_id
    studio.arrange.save(
        Delivery(broadcast_id=other_id, customer_id=first, opt_in_id=about_it, state="failed")
    )
    withdrawal_actions.withdraw_customer(COMMAND_LINE, second, topic_id=elsewhere, now=studio.now)
    broadcast_id = saver(studio)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["sent"] == 2
    assert len(studio.platform.to_psids) == 2


class SavingHistory(TokenHistory):
    """The same histories with broadcasts that spare opt-ins, and customers who write."""

    @rule(topic=st.integers(0, 1), minutes=st.none() | st.integers(1, 60))
    def launch(self, topic: int, minutes: int | None) -> None:
        super().launch(topic, minutes)
        self.taken_in_window: set[int] = getattr(self, "taken_in_window", set())
        with transaction() as db:
            of_it = col(Broadcast.id) == self.broadcasts[-1]
            db.execute(update(Broadcast).where(of_it).values(sender=OPT_IN_SAVER))
        for person in range(0, PEOPLE, 2):
            self.customer_writes(person, hours=24)

    @rule(person=st.integers(0, PEOPLE - 1), hours=st.sampled_from([0, 1, 24]))
    def customer_writes(self, person: int, hours: int) -> None:
        writes(self.customers[person], self.now + timedelta(hours=hours))

    @precondition(lambda self: self.broadcasts)
    @rule(which=st.integers(0, 20), worker=st.sampled_from(["worker a", "worker b"]), count=st.integers(1, 4))
    def claim(self, which: int, worker: str, count: int) -> None:
        broadcast_id = self.broadcasts[which % len(self.broadcasts)]
        self._hand_back_perhaps(worker)
        taken = claiming.claim(broadcast_id, count, worker=worker, now=self.now)
        self.hands[worker] += taken
        type(self).claimed += len(taken)

    def _call(self, claim: Claim, kind: str) -> None:
        if claim.sender.name != "inside_window":
            assert claim.delivery_id not in self.taken_in_window, "an ordinary message, and the opt-in too"
            super()._call(claim, kind)
            return
        by_token = {each.delivery_id for each in self.accepted.values()}
        assert claim.delivery_id not in by_token, "the opt-in, and an ordinary message too"
        if kind in ("accepted", "lost"):
            self.taken_in_window.add(claim.delivery_id)
        answer = Accepted(f"m_{claim.delivery_id}") if kind == "accepted" else FAILURES[kind]
        self.answered.append(Outcome(claim, answer))

    @invariant()
    def an_ordinary_message_holds_no_opt_in(self) -> None:
        if not hasattr(self, "broadcasts"):
            return
        with reading() as db:
            own = select(col(Delivery.opt_in_id)).where(col(Delivery.sender).is_not(None))
            assert set(db.execute(own).scalars()) <= {None}


@pytest.mark.timeout(600)
def test_no_history_sends_both_or_loses_an_opt_in(
    databases: Databases, fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_in_small_chunks(monkeypatch)
    run_token_histories(SavingHistory, databases, fresh_database)
