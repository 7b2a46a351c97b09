"""A mark on a customer: tentative until a later call is taken, lifted by any later sign of life."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.customers import unreachable_marks
from core.db import row_locks
from core.db.engine import transaction
from core.db.tables import Reply
from core.inbox import processing
from core.messenger.send_responses import Accepted
from core.sending.replies import settling as reply_settling
from core.sending.replies.settling import ReplyOutcome
from tests import claiming
from tests.customers.conftest import BLOCKED, FIRM, NONE, SECOND, TENTATIVE, Shop
from tests.inbox.platform import PAGE, event, milliseconds, read, said, tap
from tests.sending.conftest import Studio

EVIDENCE = "SELECT unreachable_code, unreachable_detail, unreachable_delivery_id FROM customer ORDER BY id"


def test_a_mark_is_tentative_and_keeps_its_evidence(shop: Shop) -> None:
    (claim,) = shop.refuse(shop.customer())
    assert shop.marks() == [TENTATIVE]
    assert shop.database.rows(EVIDENCE) == [("blocked", '{"code": 551}', claim.delivery_id)]


def test_a_later_acceptance_of_the_fanpage_makes_it_firm(shop: Shop) -> None:
    gone, reached = shop.customer(), shop.customer()
    shop.refuse(gone)
    shop.accept(reached)
    assert shop.marks() == [FIRM, NONE]


@pytest.mark.parametrize(
    ("began", "mark"), [(0.0, TENTATIVE), (0.5, TENTATIVE), (1.0, TENTATIVE), (1.5, FIRM)]
)
@pytest.mark.parametrize("together", [True, False])
def test_only_a_call_that_set_out_after_the_refusal_counts_as_later(
    shop: Shop, began: float, mark: tuple, together: bool
) -> None:
    """The refusal came a second after its own call; both are settled at once, or one after the other."""
    gone, reached = shop.claims_for(shop.customer(), shop.customer())
    outcomes = [shop.outcome(gone, BLOCKED, began=0, ended=1), shop.outcome(reached, began=began, ended=2)]
    for settled in [outcomes] if together else [outcomes[:1], outcomes[1:]]:
        shop.settle(*settled)
    assert shop.marks() == [mark, NONE]


def test_what_is_settled_for_many_fanpages_together_confirms_each_ones_own(shop: Shop) -> None:
    here, other = shop.customer(), shop.studio.arrange.fanpage()
    stranger = {"unreachable_code": "blocked", "unreachable_at": shop.studio.now}
    shop.studio.arrange.customer(other, **stranger)
    shop.refuse(here)
    (mine,) = shop.claims_for(shop.customer())
    third = Shop(Studio(shop.studio.arrange, shop.studio.now, shop.studio.call_threads), shop.database)
    (theirs,) = third.claims_for(third.customer())
    shop.settle(shop.outcome(mine), third.outcome(theirs))
    assert shop.marks() == [FIRM, TENTATIVE, NONE, NONE]


def test_another_refusal_leaves_the_first_evidence_or_it_would_never_be_firm(shop: Shop) -> None:
    gone, reached = shop.customer(), shop.customer()
    (first,) = shop.refuse(gone)
    refused, accepted = shop.claims_for(gone, reached)
    shop.settle(shop.outcome(refused, BLOCKED), shop.outcome(accepted))
    assert shop.marks() == [FIRM, NONE]
    assert shop.database.rows(EVIDENCE)[0][2] == first.delivery_id


def test_a_chatbots_answer_marks_confirms_and_lifts_as_well(shop: Shop) -> None:
    studio = shop.studio

    def answer(customer_id: int, said: object) -> None:
        values = {"body": {"text": "x"}, "created_at": studio.now}
        studio.arrange.save(Reply(fanpage_id=studio.fanpage_id, customer_id=customer_id, **values))
        (claim,) = claiming.claim_replies(studio.fanpage_id, 1, worker="worker a", now=studio.now)
        outcome = ReplyOutcome(claim, said, answered_at=studio.now)
        reply_settling.settle([outcome], now=studio.now)
        studio.pass_time(seconds=10)

    is_open = {"window_closes_at": studio.now + timedelta(hours=20)}
    one, other = shop.customer(**is_open), shop.customer(**is_open)
    answer(one, BLOCKED)
    assert shop.database.rows(EVIDENCE)[0] == ("blocked", '{"code": 551}', None)
    assert shop.marks() == [TENTATIVE, NONE]
    answer(other, Accepted("m_r1"))
    assert shop.marks() == [FIRM, NONE]
    answer(one, Accepted("m_r2"))
    assert shop.marks() == [NONE, NONE]


def test_an_acceptance_lifts_the_mark_of_whoever_it_was_for(shop: Shop) -> None:
    one, other = shop.customer(), shop.customer()
    shop.refuse(one, other)
    shop.accept(one)
    assert shop.marks() == [NONE, FIRM]


def test_who_was_reached_by_a_later_call_that_is_settled_first_is_not_marked(shop: Shop) -> None:
    customer = shop.customer()
    (early,) = shop.claims_for(customer)
    (late,) = shop.claims_for(customer)
    shop.studio.pass_time(seconds=20)
    shop.settle(shop.outcome(late, began=-2, ended=-1))
    shop.settle(shop.outcome(early, BLOCKED, began=-10, ended=-9))
    assert shop.marks() == [NONE]


def test_taken_back_are_the_marks_of_these_deliveries_and_no_late_settle_brings_them_again(
    shop: Shop,
) -> None:
    one, two = shop.customer(), shop.customer()
    (first,) = shop.refuse(one)
    taken = shop.claims_for(two)
    refusal = shop.outcome(taken[0], BLOCKED)
    shop.settle(refusal)
    with transaction() as db:
        assert unreachable_marks.undo_marks_of_deliveries(db, [taken[0].delivery_id]) == 1
        assert unreachable_marks.undo_marks_of_deliveries(db, [taken[0].delivery_id]) == 0
        assert unreachable_marks.undo_marks_of_deliveries(db, []) == 0
    shop.settle(refusal)  # its commit had been in doubt
    assert shop.marks() == [TENTATIVE, NONE]
    with transaction() as db:
        assert unreachable_marks.undo_marks_of_deliveries(db, [first.delivery_id, taken[0].delivery_id]) == 1
    assert shop.marks() == [NONE, NONE]


PSID = "25000000000000077"


def mid(at: datetime) -> str:
    return f"m_{milliseconds(at)}"


SIGNS = {
    "message": lambda at: said(PSID, at, "mình đây", mid(at)),
    "postback": lambda at: event(PSID, at, postback={"mid": mid(at), "payload": "X", "title": "X"}),
    "tap": lambda at: tap(PSID, at, mid(at)),
    "reaction": lambda at: event(PSID, at, reaction={"mid": "m_1", "action": "react", "emoji": "❤"}),
    "reaction taken back": lambda at: event(PSID, at, reaction={"mid": "m_1", "action": "unreact"}),
    "read": lambda at: event(PSID, at, read={"watermark": milliseconds(at)}),
    "delivery": lambda at: event(PSID, at, delivery={"mids": [mid(at)], "watermark": milliseconds(at)}),
    "referral": lambda at: event(PSID, at, referral={"ref": "tet", "source": "SHORTLINK"}),
    "edit": lambda at: event(PSID, at, message_edit={"mid": mid(at), "text": "sửa", "num_edit": 1}),
    "unsent": lambda at: event(PSID, at, message={"mid": mid(at), "is_deleted": True}),
    "echo": lambda at: {
        **event(PAGE, at, message={"mid": mid(at), "is_echo": True, "text": "x", "app_id": 1}),
        "recipient": {"id": PSID},
    },
}


@pytest.fixture
def blocked(arrange, fresh_database, now) -> Shop:
    """One customer of the fanpage that the samples are of, firmly marked an hour ago."""
    fanpage_id = arrange.fanpage(page_id=PAGE)
    hour_ago = now - timedelta(hours=1)
    firm = {"unreachable_at": hour_ago, "unreachable_firm_at": now, "unreachable_delivery_id": 1}
    arrange.customer(fanpage_id, psid=PSID, unreachable_code="blocked", unreachable_detail="{}", **firm)
    return fresh_database


def tell(*events, now) -> None:
    processing.store_events(read(*events, received_at=now))
    while processing.apply_pending(limit=100, now=now):
        pass


ALL = (
    "SELECT unreachable_code, unreachable_at, unreachable_detail, unreachable_delivery_id,"
    " unreachable_firm_at FROM customer"
)


@pytest.mark.parametrize("sign", SIGNS)
def test_any_later_sign_of_life_lifts_a_mark_and_an_older_one_does_not(blocked, now, sign: str) -> None:
    tell(SIGNS[sign](now - timedelta(minutes=61)), now=now)
    assert [row[0] for row in blocked.rows(ALL)] == ["blocked"]
    assert None not in blocked.rows(ALL)[0]
    tell(SIGNS[sign](now - timedelta(minutes=59)), now=now)
    assert blocked.rows(ALL) == [(None,) * 5]


@pytest.mark.parametrize("sign", SIGNS)
def test_who_has_shown_life_since_is_not_marked_by_an_answer_that_is_settled_late(
    blocked, now, sign: str
) -> None:
    blocked.run("UPDATE customer SET unreachable_at = NULL, unreachable_firm_at = NULL")
    tell(SIGNS[sign](now - timedelta(minutes=2)), now=now)
    for minutes, marked in ((3, []), (2, []), (1, [("gone",)])):
        refusal = unreachable_marks.UnreachableAnswer(1, None, "gone", None, now - timedelta(minutes=minutes))
        with transaction() as db:
            unreachable_marks.mark_unreachable(db, [refusal])
        given = "SELECT unreachable_code FROM customer WHERE unreachable_at IS NOT NULL"
        assert blocked.rows(given) == marked


@pytest.mark.parametrize("kind", ["read", "delivery", "echo", "edit"])
def test_a_report_about_a_stranger_makes_no_customer(blocked, now, kind: str) -> None:
    blocked.run("UPDATE customer SET psid = '1'")
    tell(SIGNS[kind](now), now=now)
    assert blocked.rows("SELECT psid, unreachable_code FROM customer") == [("1", "blocked")]


@pytest.mark.postgresql
def test_whom_another_transaction_holds_does_not_hold_up_those_who_settle(shop: Shop) -> None:
    gone, reached = shop.customer(), shop.customer()
    shop.refuse(gone)
    (claim,) = shop.claims_for(reached)
    with transaction() as db:
        row_locks.lock_customers(db, [gone])
        shop.settle(shop.outcome(claim))
    assert shop.marks() == [TENTATIVE, NONE]
    shop.studio.now += SECOND
    shop.accept(reached)
    assert shop.marks() == [FIRM, NONE]
