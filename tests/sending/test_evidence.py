"""Echoes settle a doubt, watermarks do not; in whatever order and number they come, the end is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import retry
from core.broadcasts.delivery_queries import DeliveryView, list_deliveries
from core.db.engine import transaction
from core.db.tables import Customer, Delivery
from core.deliveries import evidence
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.sending import claims, settling
from core.sending.settling import Outcome
from tests import claiming
from tests.sending.conftest import Studio
from tests.sending.platform import USED

TIMEOUT = Failure(NextStep.IN_DOUBT, "timeout")
TEMPORARY = Failure(NextStep.RETRY_LATER, "temporary", 400, 2)
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)
MINUTE = timedelta(minutes=1)


@dataclass
class Case:
    """One delivery to one customer, and what the platform says of it."""

    studio: Studio
    broadcast_id: int
    delivery_id: int
    psid: str
    claimed: claims.Claim = field(init=False)

    def __post_init__(self) -> None:
        self.metadata = evidence.metadata_of(self.delivery_id)

    def try_once(self, answer: Accepted | Failure) -> None:
        self.claim()
        self.settle(answer)

    def claim(self) -> None:
        claim_all([self])

    def settle(self, answer: Accepted | Failure) -> None:
        settling.settle([Outcome(self.claimed, answer)], now=self.studio.now)

    def give_up(self) -> None:
        """Eight tries, a minute apart and more, and no answer to any."""
        for _ in range(8):
            self.studio.now += MINUTE
            self.try_once(TIMEOUT)

    def echo(self, at: datetime | None = None, *, mid: str = "m_1") -> None:
        self._tell(evidence.note_echo, mid=mid, metadata=self.metadata, at=at or self.studio.now)

    def delivered(self, watermark: datetime | None, *mids: str) -> None:
        self._tell(evidence.note_delivered, mids=mids, watermark_at=watermark, at=self.studio.now)

    def read(self, watermark: datetime) -> None:
        self._tell(evidence.note_read, watermark_at=watermark)

    def _tell(self, note: Callable[..., object], **said: object) -> None:
        with transaction() as db:
            note(db, fanpage_id=self.studio.fanpage_id, psid=self.psid, **said)

    def look(self) -> DeliveryView:
        (view,) = (d for d in list_deliveries(self.broadcast_id) if d.id == self.delivery_id)
        return view


def crowd(studio: Studio, size: int) -> list[Case]:
    studio.people(size)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return [Case(studio, broadcast_id, d.id, d.psid) for d in list_deliveries(broadcast_id)]


def claim_all(cases: list[Case]) -> None:
    taken = claiming.claim(cases[0].broadcast_id, len(cases), worker="worker a", now=cases[0].studio.now)
    for case, claimed in zip(cases, taken, strict=True):
        case.claimed = claimed


@pytest.fixture
def case(studio: Studio) -> Case:
    return crowd(studio, 1)[0]


def test_an_echo_settles_what_staff_would_have_to(case: Case, opt_in_states) -> None:
    case.give_up()
    assert case.look().state == "unknown"
    case.echo()
    seen = case.look()
    assert (seen.state, seen.evidence, seen.mid, seen.reason) == ("sent", "echo", "m_1", None)
    assert opt_in_states() == {"spent": 1}


def test_echo_delivery_read_and_settle_come_in_any_order(studio: Studio, opt_in_states) -> None:
    """Each order with one customer, and with another for whom everything comes three times."""
    orders = [
        (order, times) for order in permutations(("echo", "delivered", "read", "settle")) for times in (1, 3)
    ]
    cases, sent_at = crowd(studio, len(orders)), studio.now
    claim_all(cases)
    studio.now += timedelta(seconds=5)
    for case, (order, times) in zip(cases, orders, strict=True):
        deeds = {
            "echo": lambda case=case: case.echo(sent_at),
            "delivered": lambda case=case: case.delivered(sent_at, "m_1"),
            "read": lambda case=case: case.read(sent_at + MINUTE),
            "settle": lambda case=case: case.settle(Accepted("m_1")),
        }
        for name in order:
            for _ in range(times):
                deeds[name]()
        seen = case.look()
        assert (seen.state, seen.mid) == ("sent", "m_1"), order
        assert (seen.delivered_at, seen.read_at) == (sent_at, sent_at + MINUTE), order
    assert opt_in_states() == {"spent": len(orders)}


@pytest.mark.parametrize("last", [USED, TIMEOUT, BLOCKED, TEMPORARY], ids=lambda failure: failure.reason)
def test_after_a_lost_answer_they_come_in_any_order_too(studio: Studio, opt_in_states, last) -> None:
    orders = list(permutations(("echo", "delivered", "read", "retry")))
    cases, sent_at = crowd(studio, len(orders)), studio.now
    claim_all(cases)
    for case in cases:
        case.settle(TIMEOUT)
    studio.now += MINUTE
    claim_all(cases)  # the retries are on their way
    for case, order in zip(cases, orders, strict=True):
        deeds = {
            "echo": lambda case=case: case.echo(sent_at),
            "delivered": lambda case=case: case.delivered(sent_at, "m_1"),
            "read": lambda case=case: case.read(sent_at + timedelta(seconds=20)),
            "retry": lambda case=case: case.settle(last),
        }
        for name in order:
            deeds[name]()
            deeds[name]()
        seen = case.look()
        assert (seen.state, seen.mid) == ("sent", "m_1"), order
        assert seen.delivered_at == sent_at, order
        assert seen.read_at == sent_at + timedelta(seconds=20), order
    assert opt_in_states() == {"spent": len(orders)}


@pytest.mark.parametrize("before_the_end", [True, False])
def test_watermarks_and_strange_ids_prove_no_arrival(case: Case, opt_in_states, before_the_end) -> None:
    """They speak of the thread: a person may have answered from the inbox."""

    def watermarks() -> None:
        case.delivered(case.studio.now + MINUTE, "m_of_the_inbox")
        case.read(case.studio.now + MINUTE)

    case.try_once(TIMEOUT)
    if before_the_end:
        watermarks()
    for _ in range(7):
        case.studio.now += MINUTE
        case.try_once(TIMEOUT)
    watermarks()
    seen = case.look()
    assert (seen.state, seen.delivered_at, seen.read_at) == ("unknown", None, None)
    assert opt_in_states() == {"reserved": 1}


@pytest.mark.parametrize("first", ["watermarks", "proof"])
def test_a_message_proven_by_a_refusal_is_delivered_and_read_as_of_its_own_try(case: Case, first) -> None:
    """The retry set out after the customer had read it: what counts is the try that may have been taken."""
    sent_at = case.studio.now
    case.try_once(TIMEOUT)
    case.studio.now += timedelta(minutes=10)
    steps = [
        lambda: (case.delivered(sent_at + MINUTE), case.read(sent_at + 2 * MINUTE)),
        lambda: case.try_once(USED),
    ]
    for step in steps if first == "watermarks" else reversed(steps):
        step()
    seen = case.look()
    assert (seen.state, seen.evidence) == ("sent", "refused_on_retry")
    assert (seen.delivered_at, seen.read_at) == (sent_at + MINUTE, sent_at + 2 * MINUTE)


def test_the_doubt_about_another_delivery_is_no_doubt_about_this_one(studio: Studio) -> None:
    cases = crowd(studio, 2)
    sent_at = studio.now
    claim_all(cases)
    cases[0].settle(TIMEOUT)
    studio.now += timedelta(minutes=10)
    cases[1].settle(TIMEOUT)
    cases[0].read(sent_at + MINUTE)
    studio.now += MINUTE
    claim_all(cases)
    cases[0].settle(USED)
    assert cases[0].look().read_at == sent_at + MINUTE


def test_a_watermark_from_before_the_doubtful_try_says_nothing_of_it(case: Case) -> None:
    case.studio.now += MINUTE
    case.read(case.studio.now - timedelta(seconds=1))
    case.try_once(TIMEOUT)
    case.studio.now += MINUTE
    case.try_once(USED)
    assert case.look().read_at is None


@pytest.mark.parametrize(("refusal", "state"), [(BLOCKED, "available"), (USED, "refused")])
def test_an_echo_corrects_even_what_was_refused(case: Case, opt_in_states, refusal, state) -> None:
    case.try_once(refusal)
    assert opt_in_states() == {state: 1}
    case.echo()
    case.echo()
    assert (case.look().state, case.look().evidence) == ("sent", "echo")
    assert opt_in_states() == {"spent": 1}


def test_an_echo_leaves_an_opt_in_that_another_broadcast_holds_by_now(studio: Studio, opt_in_states) -> None:
    (case,) = crowd(studio, 1)
    case.try_once(Failure(NextStep.END_DELIVERY, "content", 400, 105))
    studio.launch(studio.broadcast())
    case.echo()
    assert case.look().state == "failed"
    assert opt_in_states() == {"reserved": 1}


def test_an_echo_of_what_we_never_sent_is_somebody_elses(case: Case, opt_in_states) -> None:
    """Another installation may send for the same fanpage, with numbers of its own."""
    case.echo()
    assert case.look().state == "queued"
    assert opt_in_states() == {"reserved": 1}


def test_a_token_refused_after_a_passing_fault_is_left_to_staff(case: Case, opt_in_states) -> None:
    case.try_once(TEMPORARY)
    case.studio.now += MINUTE
    case.try_once(USED)
    assert (case.look().state, case.look().reason) == ("unknown", "token_refused")
    assert opt_in_states() == {"reserved": 1}


def test_staff_and_an_echo_that_comes_after_agree(case: Case, opt_in_states) -> None:
    case.give_up()
    case.read(case.studio.now)
    retry.count_as_sent(COMMAND_LINE, case.broadcast_id, now=case.studio.now)
    case.echo()
    seen = case.look()
    assert (seen.state, seen.evidence, seen.mid) == ("sent", "staff", "m_1")
    assert opt_in_states() == {"spent": 1}


def test_an_echo_is_believed_only_for_the_customer_it_names(case: Case) -> None:
    case.give_up()
    other = case.studio.arrange.customer(case.studio.fanpage_id, psid="4242")
    with transaction() as db:
        told = evidence.note_echo(
            db,
            fanpage_id=case.studio.fanpage_id,
            psid="4242",
            mid="m_9",
            metadata=case.metadata,
            at=case.studio.now,
        )
        assert db.get_one(Customer, other).psid == "4242"
        assert db.execute(select(col(Delivery.state))).scalar_one() == "unknown"
    assert not told


def test_what_was_read_right_after_it_was_sent_counts_although_the_settle_came_later(case: Case) -> None:
    sent_at = case.studio.now
    claim_all([case])
    case.echo(sent_at)
    case.studio.now += timedelta(seconds=5)
    for _ in range(2):  # repeating it changes nothing
        case.settle(Accepted("m_1"))
    case.read(sent_at + timedelta(seconds=2))
    assert case.look().read_at == sent_at + timedelta(seconds=2)
