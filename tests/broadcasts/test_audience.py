"""Who would get a broadcast, who would not and why; the start builds exactly the former."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, scheduled_jobs
from core.broadcasts.dry_run_queries import dry_run, list_audience, list_promises
from core.consent.eligibility import ELIGIBLE, REASONS
from core.consent.rules import expires_at
from core.db.engine import reading, transaction
from core.db.tables import Customer, Delivery, OptIn
from tests.sending.conftest import Studio

NUMBERS = itertools.count()
YEAR_OLD = timedelta(days=365)
# What one customer may hold, and why a broadcast leaves them out when that is all; most telling first.
HOLDINGS = {
    "reserved": {"state": "reserved"},
    "refused": {"state": "refused"},
    "used": {"state": "spent"},
    "expired": {"state": "expired"},
    "over": {"state": "available", "aged": True},
    "withdrawn": {"state": "withdrawn"},
}


def hold(studio: Studio, customer_id: int, state: str, aged: bool = False) -> int:
    since = studio.now - (YEAR_OLD if aged else timedelta(days=1))
    return studio.arrange.opt_in(
        studio.topic_id, customer_id, fanpage_id=studio.fanpage_id, state=state, consented_at=since
    )


def somebody(studio: Studio, *holdings: str, unreachable: bool = False) -> int:
    customer_id = studio.arrange.customer(studio.fanpage_id)
    for holding in holdings:
        hold(studio, customer_id, **HOLDINGS.get(holding, {"state": holding}))
    if unreachable:
        with transaction() as db:
            customer = db.get_one(Customer, customer_id)
            customer.unreachable_at = customer.unreachable_firm_at = studio.now
    return customer_id


def left_out(studio: Studio) -> dict[str, int]:
    return dry_run(studio.topic_id, now=studio.now).left_out


@pytest.mark.parametrize(
    ("holding", "reason"),
    [(name, "expired" if name == "over" else name) for name in HOLDINGS],
)
def test_each_reason_has_its_people(studio: Studio, holding: str, reason: str) -> None:
    customer_id = somebody(studio, holding)
    assert left_out(studio) == {reason: 1}
    people = list_audience(studio.topic_id, reason, now=studio.now)
    assert [person.customer_id for person in people] == [customer_id]


def test_who_cannot_be_reached_keeps_the_opt_in_and_is_left_out(studio: Studio) -> None:
    somebody(studio, "available", unreachable=True)
    assert left_out(studio) == {"unreachable": 1}


def test_the_most_telling_reason_is_given(studio: Studio) -> None:
    order = list(HOLDINGS)
    for place in range(len(order)):
        somebody(studio, *order[place:])
    expected = {"reserved": 1, "refused": 1, "used": 1, "expired": 2, "withdrawn": 1}
    assert left_out(studio) == expected


def test_one_usable_opt_in_outweighs_everything(studio: Studio) -> None:
    somebody(studio, "available", *HOLDINGS)
    run = dry_run(studio.topic_id, now=studio.now)
    assert (run.eligible, run.left_out) == (1, {})


def test_strangers_and_other_topics_do_not_count(studio: Studio) -> None:
    studio.arrange.customer(studio.fanpage_id)
    other = studio.arrange.topic(studio.fanpage_id, "Khác")
    studio.arrange.opt_in(other, studio.arrange.customer(studio.fanpage_id), fanpage_id=studio.fanpage_id)
    assert dry_run(studio.topic_id, now=studio.now).audience == 0


def test_an_opt_in_counts_until_its_last_moment_and_not_longer(studio: Studio) -> None:
    since = studio.now - timedelta(days=300)
    studio.opt_in("token-old", consented_at=since)
    end = expires_at(since)
    assert dry_run(studio.topic_id, now=end - timedelta(microseconds=1)).eligible == 1
    assert dry_run(studio.topic_id, now=end).left_out == {"expired": 1}


def test_who_agreed_twice_gets_one_message_with_the_opt_in_that_ends_first(studio: Studio) -> None:
    customer_id = studio.arrange.customer(studio.fanpage_id)
    ids = {
        days: studio.arrange.opt_in(
            studio.topic_id,
            customer_id,
            fanpage_id=studio.fanpage_id,
            consented_at=studio.now - timedelta(days=days),
        )
        for days in (1, 200, 30)
    }
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    with reading() as db:
        used = db.execute(select(col(Delivery.opt_in_id))).scalars().all()
    assert used == [ids[200]]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(["available", *HOLDINGS]), min_size=1, max_size=4), st.booleans()),
        max_size=8,
    )
)
def test_the_start_builds_exactly_whom_the_dry_run_named(studio: Studio, people) -> None:
    studio.topic_id = studio.arrange.topic(studio.fanpage_id, f"Chủ đề {next(NUMBERS)}")
    everybody = {somebody(studio, *held, unreachable=gone) for held, gone in people}
    run = dry_run(studio.topic_id, now=studio.now)
    named = {p.customer_id for p in list_audience(studio.topic_id, ELIGIBLE, now=studio.now)}
    others = {
        p.customer_id
        for reason in REASONS
        for p in list_audience(studio.topic_id, reason.code, now=studio.now)
    }
    assert (named | others, len(named), run.audience) == (everybody, run.eligible, len(everybody))
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    with reading() as db:
        rows = db.execute(
            select(col(Delivery.customer_id), col(OptIn.state))
            .join(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))
            .where(col(Delivery.broadcast_id) == broadcast_id)
        ).all()
    assert {customer_id for customer_id, _ in rows} == named
    assert {state for _, state in rows} <= {"reserved"}
    assert studio.show(broadcast_id).balances


def test_two_starts_at_once_are_one(studio: Studio, opt_in_states) -> None:
    studio.people(40)
    broadcast_id = studio.broadcast()
    actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=studio.now)
    with ThreadPoolExecutor(4) as pool:
        started = [
            f.result() for f in [pool.submit(scheduled_jobs.start_due, now=studio.now) for _ in range(4)]
        ]
    assert sorted(started, key=len)[-1] == [broadcast_id]
    assert sum(map(len, started)) == 1
    assert studio.show(broadcast_id).counts["queued"] == 40
    assert opt_in_states() == {"reserved": 40}


def test_two_broadcasts_on_one_topic_share_nobody(studio: Studio) -> None:
    studio.people(3)
    first, second = studio.broadcast(), studio.broadcast()
    for broadcast_id in (first, second):
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=studio.now)
    scheduled_jobs.start_due(now=studio.now)
    assert [studio.show(first).audience, studio.show(second).audience] == [3, 0]
    assert scheduled_jobs.finish_done(now=studio.now) == [second]


def test_the_promises_of_those_who_would_get_it_are_counted(studio: Studio) -> None:
    for token, promise in (("a", "Báo tôi khi mở bán"), ("b", "Báo tôi khi mở bán"), ("c", "Báo giá mới")):
        studio.opt_in(token, promise=promise)
    studio.opt_in("d", promise="Đã rút", state="withdrawn")
    promises = list_promises(studio.topic_id, now=studio.now)
    assert [(p.title, p.people) for p in promises] == [("Báo tôi khi mở bán", 2), ("Báo giá mới", 1)]


def test_the_time_it_takes_follows_from_the_rate(studio: Studio) -> None:
    studio.people(450)
    run = dry_run(studio.topic_id, now=studio.now)
    assert (run.rate, run.seconds_at_rate) == (300, 1.5)
