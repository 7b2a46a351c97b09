"""A customer gets so many broadcasts in seven days, across topics, and no more."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import (
    actions,
    audience_builder,
    dashboard_queries,
    retry,
    scheduled_jobs,
)
from core.broadcasts.dry_run_queries import dry_run, list_audience
from core.consent import customer_queries
from core.consent.eligibility import ELIGIBLE, ENOUGH
from core.consent.queries import get_topic
from core.db.engine import reading, transaction
from core.db.tables import Delivery, Fanpage
from core.messenger.errors import Failure, NextStep
from tests.broadcasts.audiences import build_rest, recipients
from tests.sending.conftest import Studio

CONTENT = Failure(NextStep.END_DELIVERY, "content", 400, 105)


@pytest.fixture
def lan(studio: Studio) -> int:
    """A customer with an opt-in for the topic and for two more, and a customer who has just the first."""
    customer_id = studio.arrange.customer(studio.fanpage_id)
    for number in range(3):
        holds(studio, customer_id, f"token-{number}")
    holds(studio, studio.arrange.customer(studio.fanpage_id, "Mai"), "token-mai", topic_id=studio.topic_id)
    return customer_id


def holds(studio: Studio, customer_id: int, token: str, *, topic_id: int | None = None) -> None:
    if topic_id is None:
        number = token.removeprefix("token-")
        is_first = number == "0"
        topic_id = (
            studio.topic_id if is_first else studio.arrange.topic(studio.fanpage_id, f"Chủ đề {number}")
        )
    studio.arrange.opt_in(topic_id, customer_id, fanpage_id=studio.fanpage_id, token=token)


def send_on(studio: Studio, topic_id: int) -> int:
    studio.topic_id, was = topic_id, studio.topic_id
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.topic_id = was
    studio.send_all(rounds=1)
    return broadcast_id


def topics(studio: Studio) -> list[int]:
    return [studio.topic_id, studio.topic_id + 1, studio.topic_id + 2]


def left_out(studio: Studio, topic_id: int) -> dict[str, int]:
    return dry_run(topic_id, now=studio.now).left_out


def set_cap(studio: Studio, broadcasts_a_week: int) -> None:
    with transaction() as db:
        db.get_one(Fanpage, studio.fanpage_id).broadcasts_a_week = broadcasts_a_week


def test_the_third_topic_within_a_week_leaves_the_customer_out(studio: Studio, lan: int):
    first, second, third = topics(studio)
    assert lan in recipients(send_on(studio, second))
    assert left_out(studio, first) == {}
    assert lan in recipients(send_on(studio, third))
    assert left_out(studio, first) == {ENOUGH: 1}
    people = list_audience(first, ENOUGH, now=studio.now)
    assert [each.customer_id for each in people] == [lan]
    assert dashboard_queries.get_stock(first, now=studio.now).people == 1
    assert recipients(send_on(studio, first)) == [lan + 1]


def test_the_week_is_over_after_seven_days(studio: Studio, lan: int):
    first, second, third = topics(studio)
    send_on(studio, second)
    send_on(studio, third)
    studio.now += timedelta(days=7)
    assert left_out(studio, first) == {}
    assert lan in recipients(send_on(studio, first))


@pytest.mark.parametrize(("cap", "others"), [(0, 2), (1, 1), (3, 2)])
def test_the_cap_is_the_fanpages(studio: Studio, lan: int, cap: int, others: int):
    first, *rest = topics(studio)
    set_cap(studio, cap)
    for topic_id in rest[:others]:
        send_on(studio, topic_id)
    assert left_out(studio, first) == ({ENOUGH: 1} if cap == 1 else {})


def test_what_only_waits_counts_and_what_failed_does_not(studio: Studio, lan: int):
    first, second, third = topics(studio)
    set_cap(studio, 1)
    studio.platform.fault = lambda _token, _nth: CONTENT
    send_on(studio, second)
    assert left_out(studio, first) == {}
    studio.topic_id, was = third, studio.topic_id
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)  # nothing is sent: it waits
    studio.topic_id = was
    assert left_out(studio, first) == {ENOUGH: 1}
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    assert left_out(studio, first) == {}


def test_a_retry_of_the_failed_leaves_who_has_had_enough_since(studio: Studio, lan: int):
    first, second, _ = topics(studio)
    set_cap(studio, 1)
    studio.platform.fault = lambda _token, _nth: CONTENT
    failed = send_on(studio, first)
    studio.platform.fault = lambda _token, _nth: None
    send_on(studio, second)
    assert retry.retry_failed(COMMAND_LINE, failed, now=studio.now) == 1  # Mai
    with reading() as db:
        of_lan = select(Delivery).where(Delivery.broadcast_id == failed, Delivery.customer_id == lan)
        assert db.exec(of_lan).one().state == "failed"


def test_a_retry_counts_others_and_not_itself(studio: Studio, lan: int):
    first, second, _ = topics(studio)
    send_on(studio, second)
    studio.platform.fault = lambda _token, _nth: CONTENT
    failed = send_on(studio, first)
    assert retry.retry_failed(COMMAND_LINE, failed, now=studio.now) == 2


def test_later_parts_of_an_audience_leave_them_out_too(studio: Studio, small_parts: None):
    set_cap(studio, 1)
    studio.people(8)
    with reading() as db:
        from core.db.tables import Customer

        everybody = sorted(db.exec(select(Customer.id)).all())
    other = studio.arrange.topic(studio.fanpage_id, "Khác")
    studio.arrange.opt_in(other, everybody[7], fanpage_id=studio.fanpage_id, token="token-other")
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    send_on(studio, other)
    build_rest(studio)
    assert recipients(broadcast_id) == everybody[:7]


def test_figures_of_who_can_be_notified_at_all_leave_the_cap_aside(studio: Studio, lan: int):
    first, second, third = topics(studio)
    send_on(studio, second)
    send_on(studio, third)
    assert get_topic(first, now=studio.now).people == 2
    holding = {"now": studio.now, "only": customer_queries.Only.HOLDING}
    assert customer_queries.count_customers(studio.fanpage_id, **holding) == 2
    assert len(list_audience(first, ELIGIBLE, now=studio.now)) == 1


@pytest.mark.postgresql
def test_two_broadcasts_that_start_together_count_each_other(studio: Studio, lan: int):
    """Each on its own connection; the second waits until the first has committed."""
    set_cap(studio, 1)
    second, third = topics(studio)[1:]
    made = []
    for topic_id in (second, third):
        studio.topic_id = topic_id
        made.append(studio.broadcast())
        actions.schedule(COMMAND_LINE, made[-1], at=None, now=studio.now)
    begun = threading.Barrier(2, timeout=60)
    real = audience_builder.take_turn

    def together(db, fanpage_id):
        begun.wait()
        real(db, fanpage_id)

    def start(broadcast_id: int) -> None:
        from core.broadcasts.rows import get_row

        with transaction() as db:
            broadcast = get_row(db, broadcast_id, lock=True)
            broadcast.state, broadcast.started_at = "sending", studio.now
            together(db, studio.fanpage_id)
            audience_builder.begin(db, broadcast, studio.now)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(start, made))
    assert sum(len(recipients(each)) for each in made) == 1
    assert scheduled_jobs.start_due(now=studio.now) == []
