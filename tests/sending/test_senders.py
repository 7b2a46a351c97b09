"""A way to send a delivery is a sender: one more is one file, and the loop sends by all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, update
from sqlmodel import Session, col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, retry
from core.broadcasts.delivery_queries import list_deliveries
from core.consent import ledger as opt_in_ledger
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Customer, Delivery
from core.deliveries import evidence
from core.deliveries.evidence import metadata_of
from core.deliveries.rules import DeliveryState, OptInMove, Verdict
from core.forgetting.erasing import erase_customer, lock_customer
from core.messenger.client import Messenger
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Answer
from core.sending.calls.grouping import PlannedMessage, grouped
from core.sending.rules import decide, final_verdict
from core.sending.senders import registry
from core.sending.senders.sender import Claim, Prepared, Row, message_for
from tests import claiming
from tests.sending.conftest import Studio

DOUBT = Failure(NextStep.IN_DOUBT, "timeout")
TEMPORARY = Failure(NextStep.RETRY_LATER, "temporary", 400, 2)
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)
SLOW = Failure(NextStep.SLOW_DOWN, "rate_limit", 400, 613)
TEXT = {"kind": "text", "text": "Chào {{first_name|bạn}}, hàng mới đã về!"}


class PaidMessage:
    """Another way to send, all of it: by PSID whenever the customer can be reached, for one opt-in each."""

    name = "paid_message"
    is_guarded = False

    def with_needs(self, deliveries: Select[Any]) -> Select[Any]:
        return deliveries.add_columns(col(Delivery.opt_in_id), col(Customer.psid), col(Customer.locale))

    def prepare(self, rows: Sequence[Row], now: datetime) -> list[Prepared]:
        unfit = Verdict(DeliveryState.SKIPPED, OptInMove.RELEASE, "expired")
        return [
            Prepared(self, (opt_in_id, psid), unfit if place == "abroad" else None)
            for opt_in_id, psid, place in rows
        ]

    def write(self, wording: str, claim: Claim, _link_address: str = "") -> dict[str, Any]:
        message = {**message_for(wording, claim.first_name), "metadata": metadata_of(claim.delivery_id)}
        return {"recipient": {"id": claim.needs[1]}, "message": message, "messaging_type": "PAID"}

    def send(self, items: Sequence[tuple[Messenger, Any]], *_given: object) -> list[Answer]:
        return [connection.send(body) for connection, body in items]

    def judge(self, _db: Session, claim: Claim, failure: Failure, now: datetime) -> Verdict:
        if failure.step == NextStep.IN_DOUBT:
            return final_verdict(failure, in_doubt=True)
        if failure.reason == "blocked":  # this way to send charges for the attempt
            return replace(
                decide(failure, counted_attempts=0, in_doubt=False, now=now), opt_in_move=OptInMove.SPEND
            )
        return decide(failure, counted_attempts=claim.counted_attempts, in_doubt=claim.in_doubt, now=now)

    def move(self, db: Session, claims: Sequence[Claim], opt_in_move: OptInMove, now: datetime) -> None:
        ids = [claim.needs[0] for claim in claims]
        if opt_in_move == OptInMove.SPEND:
            opt_in_ledger.spend(db, ids, now=now)
        if opt_in_move == OptInMove.RELEASE:
            opt_in_ledger.release(db, ids, now=now)


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> PaidMessage:
    sender = PaidMessage()
    monkeypatch.setitem(registry.SENDERS, sender.name, sender)
    return sender


def guests(studio: Studio, count: int, *, open_for: timedelta = timedelta(hours=20)) -> list[int]:
    """Customers who have just written."""
    closes_at = studio.now + open_for
    return [studio.arrange.customer(studio.fanpage_id, window_closes_at=closes_at) for _ in range(count)]


def inside_window(studio: Studio, customer_ids: Sequence[int], **more: object) -> int:
    """A broadcast that is sending to these without an opt-in."""
    values = {
        "fanpage_id": studio.fanpage_id,
        "topic_id": studio.topic_id,
        "name": "x",
        "content": TEXT,
        "sender": "inside_window",
        "state": "sending",
        "audience": len(customer_ids),
        **dict.fromkeys(("created_at", "updated_at", "started_at"), studio.now),
    }
    row = Broadcast(**{**values, **more})
    broadcast_id = studio.arrange.save(row)
    for customer_id in customer_ids:
        studio.arrange.save(Delivery(broadcast_id=broadcast_id, customer_id=customer_id))
    return broadcast_id


def launched_by(studio: Studio, name: str) -> int:
    broadcast_id = studio.broadcast()
    with transaction() as db:
        db.execute(update(Broadcast).where(col(Broadcast.id) == broadcast_id).values(sender=name))
    studio.launch(broadcast_id)
    return broadcast_id


def counted(studio: Studio, broadcast_id: int) -> dict[str, int]:
    shown = studio.show(broadcast_id)
    assert shown.balances
    return {state: count for state, count in shown.counts.items() if count}


def psid_of(customer_id: int) -> str:
    with reading() as db:
        return db.get_one(Customer, customer_id).psid


# A third sender.


def test_a_third_sender_is_one_class_and_its_name(studio: Studio, paid: PaidMessage, opt_in_states) -> None:
    studio.people(30)
    broadcast_id = launched_by(studio, paid.name)
    studio.send_all(rounds=1)
    assert counted(studio, broadcast_id) == {"sent": 30}
    assert studio.show(broadcast_id).state == "finished"
    assert opt_in_states() == {"spent": 30}
    assert len({body["recipient"]["id"] for body in studio.platform.to_psids}) == 30
    assert {body["messaging_type"] for body in studio.platform.to_psids} == {"PAID"}
    assert not studio.platform.tries  # no one-time token has been used


@pytest.mark.parametrize(
    ("failure", "ends", "opt_in"),
    [
        (BLOCKED, "failed", "spent"),
        (Failure(NextStep.END_DELIVERY, "content", 400, 100), "failed", "available"),
        (DOUBT, "unknown", "reserved"),
    ],
)
def test_a_third_sender_judges_its_own_refusals(
    studio: Studio, paid: PaidMessage, opt_in_states, failure: Failure, ends: str, opt_in: str
) -> None:
    studio.people(2)
    studio.platform.by_psid = lambda _body: failure
    broadcast_id = launched_by(studio, paid.name)
    studio.send_all(rounds=3)
    assert counted(studio, broadcast_id) == {ends: 2}
    assert opt_in_states() == {opt_in: 2}
    assert len(studio.platform.to_psids) == 2


def test_a_third_sender_says_who_is_not_fit(studio: Studio, paid: PaidMessage, opt_in_states) -> None:
    studio.people(3)
    with transaction() as db:
        db.execute(update(Customer).where(col(Customer.id) == 1).values(locale="abroad"))
    broadcast_id = launched_by(studio, paid.name)
    studio.send_all(rounds=1)
    assert (counted(studio, broadcast_id), opt_in_states()) == (
        {"sent": 2, "skipped": 1},
        {"spent": 2, "available": 1},
    )


def test_all_senders_are_claimed_together_and_each_sends_its_own(
    studio: Studio, paid: PaidMessage, opt_in_states
) -> None:
    studio.people(40)
    by_token = studio.broadcast()
    studio.launch(by_token)
    people = [studio.opt_in(f"second-{n}") for n in range(20)]
    by_third = launched_by(studio, paid.name)
    by_window = inside_window(studio, guests(studio, 25))
    broadcasts = [by_token, by_third, by_window]
    wanted = claiming.wanted(studio.fanpage_id, 30, broadcasts)
    (taken,) = claiming.claim_of(wanted, worker="worker b", now=studio.now)
    assert {each.sender.name for each in taken.deliveries} == {
        "one_time_token",
        "paid_message",
        "inside_window",
    }
    studio.pass_time(seconds=90)  # that worker died: what may be tried again is
    studio.send_all(rounds=2)
    lost = {key: sum(each.broadcast_id == key for each in taken.deliveries) for key in broadcasts}
    assert counted(studio, by_token) == {"sent": 40}
    assert counted(studio, by_third) == {"sent": 20 - lost[by_third], "unknown": lost[by_third]}
    assert counted(studio, by_window) == {"sent": 25 - lost[by_window], "unknown": lost[by_window]}
    assert sum(studio.platform.accepted.values()) == 40
    assert len(people) == 20
    assert opt_in_states() == {"spent": 60 - lost[by_third], "reserved": lost[by_third]}


def test_what_only_a_newer_version_can_send_waits_and_holds_up_nobody(studio: Studio) -> None:
    studio.people(1)
    waiting = launched_by(studio, "of_tomorrow")
    studio.opt_in("another")
    going = studio.broadcast()
    studio.launch(going)
    studio.send_all(rounds=1)
    assert counted(studio, waiting) == {"queued": 1}
    assert counted(studio, going) == {"sent": 1}


def test_a_new_broadcast_spends_one_time_tokens(studio: Studio) -> None:
    with reading() as db:
        assert registry.find(db.get_one(Broadcast, studio.broadcast()).sender) is not None


# Inside the window.


def test_inside_the_window_it_is_an_ordinary_message_and_spends_nothing(
    studio: Studio, opt_in_states
) -> None:
    studio.people(1)
    (customer_id,) = guests(studio, 1)
    broadcast_id = inside_window(studio, [customer_id])
    studio.send_all(rounds=1)
    (delivery,) = list_deliveries(broadcast_id)
    assert (delivery.state, delivery.promise) == ("sent", "")
    assert studio.platform.to_psids == [
        {
            "recipient": {"id": psid_of(customer_id)},
            "message": {"text": "Chào Lan, hàng mới đã về!", "metadata": metadata_of(delivery.id)},
            "messaging_type": "RESPONSE",
        }
    ]
    assert opt_in_states() == {"available": 1}
    assert studio.show(broadcast_id).state == "finished"


def test_on_whom_the_window_has_closed_is_skipped(studio: Studio) -> None:
    """Also who has never written, and who is forgotten meanwhile."""
    closed = guests(studio, 1, open_for=timedelta(0))
    never = studio.arrange.customer(studio.fanpage_id)
    (forgotten,) = guests(studio, 1)
    broadcast_id = inside_window(studio, [*closed, never, forgotten])
    with transaction() as db:
        lock_customer(db, studio.fanpage_id, psid_of(forgotten))
        erase_customer(db, forgotten, now=studio.now)
    studio.send_all(rounds=1)
    assert counted(studio, broadcast_id) == {"skipped": 3}
    assert studio.show(broadcast_id).reasons == {"window_closed": 2, "withdrawn": 1}
    assert studio.platform.to_psids == []


def test_what_waits_for_another_try_is_skipped_once_the_window_closes(studio: Studio) -> None:
    broadcast_id = inside_window(studio, guests(studio, 1, open_for=timedelta(seconds=60)))
    studio.platform.by_psid = lambda _body: TEMPORARY
    studio.send_all(rounds=2)  # the second of them ninety seconds later
    assert studio.show(broadcast_id).reasons == {"window_closed": 1}
    assert len(studio.platform.to_psids) == 1


def test_a_passing_refusal_is_tried_again(studio: Studio) -> None:
    broadcast_id = inside_window(studio, guests(studio, 1))
    answers = iter([TEMPORARY, SLOW, None])
    studio.platform.by_psid = lambda _body: next(answers)
    studio.send_all(rounds=4)
    assert counted(studio, broadcast_id) == {"sent": 1}


def test_what_may_have_arrived_is_never_sent_again_on_its_own(studio: Studio) -> None:
    broadcast_id = inside_window(studio, guests(studio, 5))
    studio.platform.by_psid = lambda _body: DOUBT
    studio.send_all(rounds=5)
    assert counted(studio, broadcast_id) == {"unknown": 5}
    assert len(studio.platform.to_psids) == 5


def test_what_a_dead_worker_held_is_for_staff_at_once(studio: Studio) -> None:
    broadcast_id = inside_window(studio, guests(studio, 2))
    assert len(claiming.claim(broadcast_id, 2, worker="worker b", now=studio.now)) == 2
    studio.pass_time(seconds=90)
    assert counted(studio, broadcast_id) == {"unknown": 2}
    studio.send_all(rounds=2)
    assert studio.platform.to_psids == []


def test_staff_may_have_it_sent_again_or_count_it_as_sent(studio: Studio) -> None:
    broadcast_id = inside_window(studio, guests(studio, 2))
    studio.platform.by_psid = lambda _body: DOUBT
    studio.send_all(rounds=1)
    first, _ = list_deliveries(broadcast_id)
    assert retry.count_as_sent(COMMAND_LINE, broadcast_id, delivery_ids=[first.id], now=studio.now)
    studio.platform.by_psid = lambda _body: None
    assert retry.try_again(COMMAND_LINE, broadcast_id, now=studio.now) == 1
    studio.send_all(rounds=1)
    assert counted(studio, broadcast_id) == {"sent": 2}
    assert len(studio.platform.to_psids) == 3


def test_in_doubt_and_refused_when_sent_again_it_stays_unknown(studio: Studio) -> None:
    broadcast_id = inside_window(studio, guests(studio, 1))
    answers = iter([DOUBT, BLOCKED])
    studio.platform.by_psid = lambda _body: next(answers)
    studio.send_all(rounds=1)
    retry.try_again(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).reasons == {"blocked": 1}
    assert counted(studio, broadcast_id) == {"unknown": 1}


@pytest.mark.parametrize("failure", [DOUBT, BLOCKED])
def test_an_echo_leads_back_whatever_was_believed(studio: Studio, failure: Failure) -> None:
    """Also while others without an opt-in are on their way."""
    customers = guests(studio, 2)
    broadcast_id = inside_window(studio, customers)
    answers = iter([failure, None])
    studio.platform.by_psid = lambda _body: next(answers)
    studio.send_all(rounds=1)
    (delivery,) = [each for each in list_deliveries(broadcast_id) if each.state != "sent"]
    with transaction() as db:
        assert evidence.note_echo(
            db,
            fanpage_id=studio.fanpage_id,
            psid=delivery.psid,
            mid="m_1",
            metadata=metadata_of(delivery.id),
            at=studio.now,
        )
    assert counted(studio, broadcast_id) == {"sent": 2}


def test_a_cancelled_one_gives_nothing_back(studio: Studio, opt_in_states) -> None:
    studio.people(1)
    broadcast_id = inside_window(studio, guests(studio, 3))
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    assert counted(studio, broadcast_id) == {"cancelled": 3}
    assert opt_in_states() == {"available": 1}
    assert retry.send_to_rest(COMMAND_LINE, broadcast_id, now=studio.now) == 0


def test_past_its_best_before_the_rest_is_skipped(studio: Studio) -> None:
    broadcast_id = inside_window(
        studio, guests(studio, 3), state="paused", best_before=studio.now + timedelta(minutes=1)
    )
    studio.pass_time(minutes=2)
    assert studio.show(broadcast_id).reasons == {"too_late": 3}


def test_when_all_are_refused_alike_it_pauses_itself(studio: Studio) -> None:
    broadcast_id = inside_window(studio, guests(studio, 40))
    refused = Failure(NextStep.END_DELIVERY, "content", 400, 100)
    studio.platform.by_psid = lambda _body: refused
    studio.loop().drain()
    shown = studio.show(broadcast_id)
    assert (shown.state, shown.pause_code, shown.balances) == ("paused", "alike:content", True)
    assert shown.counts["failed"] >= 20


def test_who_has_blocked_the_fanpage_is_marked_by_it_too(studio: Studio) -> None:
    customers = guests(studio, 2)
    blocked = psid_of(customers[0])
    broadcast_id = inside_window(studio, customers)
    studio.platform.by_psid = lambda body: BLOCKED if body["recipient"]["id"] == blocked else None
    studio.send_all(rounds=1)
    assert counted(studio, broadcast_id) == {"failed": 1, "sent": 1}
    with reading() as db:
        codes = [db.get_one(Customer, each).unreachable_code for each in customers]
    assert codes == ["blocked", None]


def test_a_message_that_nothing_guards_rides_alone(studio: Studio, paid: PaidMessage) -> None:
    studio.people(3)
    by_token = studio.broadcast()
    studio.launch(by_token)
    by_window = inside_window(studio, guests(studio, 3))
    taken = [
        *claiming.claim(by_token, 3, worker="worker a", now=studio.now),
        *claiming.claim(by_window, 3, worker="worker a", now=studio.now),
    ]
    calls = [call for _, call in grouped(PlannedMessage(1.0, claim) for claim in taken)]
    assert sorted(len(call) for call in calls) == [1, 1, 1, 3]
    assert all(len({claim.sender for claim in call}) == 1 for call in calls)
    assert queries.get_broadcast(by_window).counts["sending"] == 3
