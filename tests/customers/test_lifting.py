"""Staff lift marks, and whoever was kept out by one is offered again everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import actions, dashboard_queries, retry, retry_queries
from core.broadcasts.dry_run_queries import dry_run, list_audience, list_promises
from core.consent import customer_queries
from core.consent.queries import get_topic
from core.customers import unreachable_mark_queries as marked
from core.customers.actions import lift_mark, lift_marks_of
from core.errors import NotAllowed, NotFound
from core.sending.limits.allowance import allowance_of
from tests.customers.conftest import BLOCKED, FIRM, NONE, TENTATIVE, Shop

LAN = Actor(None, "lan", Role.SENDER)
VERBS = (
    "SELECT actor, verb, subject_id, detail FROM activity"
    " WHERE verb IN ('customer.lift_mark', 'broadcast.lift_marks')"
)


def offered(shop: Shop) -> dict[str, int]:
    """How many people each of the ways to look at the topic would give a broadcast."""
    studio = shop.studio
    now, topic_id = studio.now, studio.topic_id
    run = dry_run(topic_id, now=now)
    topic = get_topic(topic_id, now=now)
    holding = {"now": now, "only": customer_queries.Only.HOLDING}
    return {
        "dry run": run.eligible,
        "left out": run.left_out.get("unreachable", 0),
        "people": len(list_audience(topic_id, "eligible", now=now)),
        "promises": sum(each.people for each in list_promises(topic_id, now=now)),
        "topic": topic.people,
        "topic, unreachable": topic.unreachable,
        "stock": dashboard_queries.get_stock(topic_id, now=now).people,
        "customers": customer_queries.count_customers(studio.fanpage_id, **holding),
        "customers found": customer_queries.count_customers(studio.fanpage_id, search="Lan", **holding),
        "customers listed": len(customer_queries.list_customers(studio.fanpage_id, **holding)),
        "allowance": allowance_of(studio.fanpage_id, now=now).limit // 200,
    }


NOBODY = {
    "dry run": 0,
    "left out": 2,
    "people": 0,
    "promises": 0,
    "topic": 0,
    "topic, unreachable": 2,
    "stock": 0,
    "customers": 0,
    "customers found": 0,
    "customers listed": 0,
    "allowance": 1,
}
BOTH = {**dict.fromkeys(NOBODY, 2), "left out": 0, "topic, unreachable": 0, "allowance": 3}


def test_a_tentative_mark_keeps_nobody_out(shop: Shop) -> None:
    shop.refuse(shop.customer(), shop.customer())
    assert offered(shop) == {**BOTH, "allowance": 2}


def test_all_that_a_broadcast_marked_are_offered_again(shop: Shop, make_firm: Callable) -> None:
    one, other = shop.customer(), shop.customer()
    refused = make_firm([one, other])
    assert offered(shop) == NOBODY
    assert lift_marks_of(LAN, refused[0].broadcast_id, now=shop.studio.now) == 2
    assert shop.marks() == [NONE, NONE, NONE]
    assert offered(shop) == BOTH
    assert [row[:3] for row in shop.database.rows(VERBS)] == [
        ("lan", "broadcast.lift_marks", refused[0].broadcast_id)
    ]
    again = shop.studio.broadcast()
    shop.studio.launch(again)
    shop.studio.send_all(rounds=1)
    assert shop.studio.show(again).counts["sent"] == 2


def test_one_customer_is_offered_again(shop: Shop, make_firm: Callable) -> None:
    one, other = shop.customer(), shop.customer()
    make_firm([one, other])
    assert lift_mark(LAN, one, now=shop.studio.now)
    assert shop.marks()[:2] == [NONE, FIRM]
    assert dry_run(shop.studio.topic_id, now=shop.studio.now).eligible == 1
    assert not lift_mark(LAN, one, now=shop.studio.now)
    assert [row[:3] for row in shop.database.rows(VERBS)] == [("lan", "customer.lift_mark", one)]


def test_marks_of_another_broadcast_stay(shop: Shop, make_firm: Callable) -> None:
    one, other = shop.customer(), shop.customer()
    (first,) = shop.refuse(one)
    make_firm([other])
    assert marked.count_marks_of(shop.studio.fanpage_id, first.broadcast_id).people == 1
    assert lift_marks_of(LAN, first.broadcast_id, now=shop.studio.now) == 1
    assert lift_marks_of(LAN, first.broadcast_id, now=shop.studio.now) == 0
    assert shop.marks()[:2] == [NONE, FIRM]
    assert len(shop.database.rows(VERBS)) == 1


def test_an_answer_from_before_that_is_settled_late_does_not_undo_the_lifting(shop: Shop) -> None:
    customer = shop.customer()
    shop.refuse(customer)
    (late,) = shop.claims_for(customer)
    lift_mark(LAN, customer, now=shop.studio.now)
    shop.studio.pass_time(seconds=5)
    shop.settle(shop.outcome(late, BLOCKED, began=-8, ended=-7))
    assert shop.marks() == [NONE]


def test_lifted_marks_count_for_the_rest_and_the_failed_of_a_broadcast(
    shop: Shop, make_firm: Callable
) -> None:
    studio = shop.studio
    one, other = shop.customer(), shop.customer()
    make_firm([one, other])
    lift_marks_of(LAN, shop.database.rows("SELECT min(id) FROM broadcast")[0][0], now=studio.now)
    cancelled = studio.broadcast()
    studio.launch(cancelled)
    actions.cancel(COMMAND_LINE, cancelled, now=studio.now)
    studio.pass_time(minutes=1)
    shop.another_topic()
    failed = make_firm([one])[0].broadcast_id
    chances = {each: retry_queries.retry_chances(each, now=studio.now) for each in (cancelled, failed)}
    assert (chances[cancelled].rest, chances[failed].failed) == (1, 0)
    lift_mark(LAN, one, now=studio.now)
    chances = {each: retry_queries.retry_chances(each, now=studio.now) for each in (cancelled, failed)}
    assert (chances[cancelled].rest, chances[failed].failed) == (2, 1)
    assert retry.send_to_rest(LAN, cancelled, now=studio.now) == 2
    assert retry.retry_failed(LAN, failed, now=studio.now) == 1
    studio.send_all(rounds=1)
    assert [studio.show(each).counts["sent"] for each in (cancelled, failed)] == [2, 1]


def test_lifting_takes_the_role_of_a_sender_and_something_to_lift(shop: Shop) -> None:
    (claim,) = shop.refuse(shop.customer())
    editor = Actor(None, "an", Role.EDITOR)
    for lift, id_ in ((lift_mark, claim.customer_id), (lift_marks_of, claim.broadcast_id)):
        with pytest.raises(NotAllowed):
            lift(editor, id_, now=shop.studio.now)
        with pytest.raises(NotFound):
            lift(LAN, 999, now=shop.studio.now)
    assert shop.marks() == [TENTATIVE]


def test_a_mark_is_shown_with_its_evidence(shop: Shop) -> None:
    customer, began = shop.customer(), shop.studio.now
    (claim,) = shop.refuse(customer)
    mark = marked.get_mark(customer)
    assert (mark.code, mark.at, mark.detail, mark.firm_at) == ("blocked", began, '{"code": 551}', None)
    assert mark.broadcast_id == claim.broadcast_id
    counts = marked.count_marks_of(shop.studio.fanpage_id, claim.broadcast_id)
    assert counts == marked.BroadcastMarkCounts(firm=0, tentative=1)
    later = shop.studio.now
    shop.accept(shop.customer())
    assert marked.get_mark(customer).firm_at == later
    lift_mark(LAN, customer, now=shop.studio.now)
    assert marked.get_mark(customer) is None
    assert marked.get_mark(999) is None
