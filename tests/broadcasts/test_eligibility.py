"""A reason added to the one table of eligibility reaches every way to count, list, start and retry."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import (
    actions,
    dashboard_queries,
    retry,
    retry_queries,
)
from core.broadcasts.delivery_queries import list_deliveries
from core.broadcasts.dry_run_queries import dry_run, list_audience, list_promises
from core.consent import customer_queries, eligibility
from core.consent.eligibility import ELIGIBLE, REASONS
from core.consent.eligibility_reason import Reason
from core.consent.queries import get_topic
from core.consent.rules import OptInState
from core.db.tables import Customer, OptIn
from core.messenger.errors import Failure, NextStep
from tests.broadcasts.audiences import build_rest, recipients
from tests.sending.conftest import Studio

PEOPLE = 4
SET_ASIDE = "set_aside"
CONTENT = Failure(NextStep.END_DELIVERY, "content", 400, 105)
ODD = Failure(NextStep.END_DELIVERY, "unknown_error", 400, 4242)
USED = Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100)
SetAside = Callable[[int], None]


def of_customers(who: set[int]) -> Reason:
    return Reason(
        SET_ASIDE, "Set aside", "Somebody set them aside", customer=lambda _: col(Customer.id).in_(who)
    )


def of_opt_ins(who: set[int]) -> Reason:
    is_theirs = col(OptIn.customer_id).in_
    return Reason(SET_ASIDE, "Set aside", "Somebody set it aside", opt_in=lambda _: is_theirs(who))


@pytest.fixture(params=[of_customers, of_opt_ins], ids=["of the customer", "of the opt-in"])
def set_aside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SetAside:
    """Adds a reason to the table; a call leaves a customer out by it."""
    who: set[int] = set()
    monkeypatch.setattr(eligibility, "REASONS", (*REASONS[:3], request.param(who), *REASONS[3:]))
    return who.add


@pytest.fixture
def people(studio: Studio) -> list[int]:
    """Customers who agreed once; the first of them will be set aside."""
    made = [studio.arrange.customer(studio.fanpage_id) for _ in range(PEOPLE)]
    for number, customer_id in enumerate(made):
        studio.arrange.opt_in(
            studio.topic_id, customer_id, fanpage_id=studio.fanpage_id, token=f"token-{number}"
        )
    return made


def figures(studio: Studio) -> dict[str, int]:
    """Everything that says how many a broadcast on the topic would reach now."""
    now, topic_id = studio.now, studio.topic_id
    holding = {"now": now, "only": customer_queries.Only.HOLDING}
    return {
        "dry run": dry_run(topic_id, now=now).eligible,
        "people": len(list_audience(topic_id, ELIGIBLE, now=now)),
        "promises": sum(each.people for each in list_promises(topic_id, now=now)),
        "stock": dashboard_queries.get_stock(topic_id, now=now).people,
        "topic": get_topic(topic_id, now=now).people,
        "customers": customer_queries.count_customers(studio.fanpage_id, **holding),
        "customers listed": len(customer_queries.list_customers(studio.fanpage_id, **holding)),
    }


def test_a_new_reason_reaches_every_figure_and_list(studio, people, set_aside: SetAside) -> None:
    assert set(figures(studio).values()) == {PEOPLE}
    set_aside(people[0])
    assert set(figures(studio).values()) == {PEOPLE - 1}
    run = dry_run(studio.topic_id, now=studio.now)
    assert (run.audience, run.left_out) == (PEOPLE, {SET_ASIDE: 1})
    left_out = list_audience(studio.topic_id, SET_ASIDE, now=studio.now)
    assert [person.customer_id for person in left_out] == people[:1]


def test_a_new_reason_reaches_the_start_and_each_later_part(
    studio, people, set_aside: SetAside, small_parts: None
) -> None:
    set_aside(people[0])
    set_aside(people[3])
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    build_rest(studio)
    assert recipients(broadcast_id) == people[1:3]


@pytest.mark.parametrize("answer", [CONTENT, ODD, USED], ids=lambda answer: answer.reason)
def test_a_new_reason_reaches_the_retry_of_the_failed(
    studio, people, set_aside: SetAside, answer: Failure
) -> None:
    studio.platform.fault = lambda token, nth: answer
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["failed"] == PEOPLE
    set_aside(people[0])
    assert retry_queries.retry_chances(broadcast_id, now=studio.now).failed == PEOPLE - 1
    assert retry.retry_failed(COMMAND_LINE, broadcast_id, now=studio.now) == PEOPLE - 1
    failed = list_deliveries(broadcast_id, states=["failed"])
    assert [delivery.customer_id for delivery in failed] == people[:1]


def test_a_new_reason_reaches_the_send_to_the_rest(studio, people, set_aside: SetAside) -> None:
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    set_aside(people[0])
    assert retry_queries.retry_chances(broadcast_id, now=studio.now).rest == PEOPLE - 1
    assert retry.send_to_rest(COMMAND_LINE, broadcast_id, now=studio.now) == PEOPLE - 1
    cancelled = list_deliveries(broadcast_id, states=["cancelled"])
    assert [delivery.customer_id for delivery in cancelled] == people[:1]


def test_every_state_but_available_is_a_reason_to_be_left_out_once() -> None:
    states = [each.state for each in REASONS if each.state]
    assert sorted([OptInState.AVAILABLE, *states]) == sorted(OptInState)


def test_each_reason_has_its_own_code_and_concerns_the_customer_or_the_opt_in() -> None:
    codes = [each.code for each in REASONS]
    assert len(set(codes) | {ELIGIBLE}) == len(codes) + 1
    assert all(bool(each.customer) != bool(each.state or each.opt_in) for each in REASONS)
