"""Asking again: the governor in the database, the button of a broadcast, the rule of a topic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from core.conversation.replies import answer_event, ask_again
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Delivery, Fanpage, OptIn, Reply, Request, Topic, WithheldRequest
from tests.arrange import Arrange
from tests.conversation.test_replies import OTNR, Shop, rows

DAY = timedelta(days=1)


@pytest.fixture
def shop(arrange: Arrange) -> Shop:
    """The customer's window stays open, so that only the governor can say no."""
    made = Shop(arrange)
    open_long(made, made.lan)
    made.entry(made.message("Đăng ký", [("otnr", OTNR)]), "keyword", "hoa", "exact")
    return made


def open_long(shop: Shop, customer_id: int) -> None:
    from core.db.tables import Customer

    with transaction() as db:
        db.get_one(Customer, customer_id).window_closes_at = shop.now + timedelta(days=400)


def change(table: Any, row_id: int, **values: Any) -> None:
    with transaction() as db:
        row = db.get_one(table, row_id)
        for name, value in values.items():
            setattr(row, name, value)


def holds_spent(shop: Shop, **more: Any) -> int:
    return shop.arrange.opt_in(shop.topic, shop.lan, fanpage_id=shop.fanpage, **{"state": "spent", **more})


def writes(shop: Shop, *, after: timedelta = timedelta()) -> int:
    with transaction() as db:
        return ask_again(db, shop.fanpage, shop.lan, shop.now + after)


def words_of(reply: Reply) -> str:
    return str(reply.body.get("text", ""))


def withheld() -> list[tuple[str, str, int]]:
    return [(each.reason, each.entry_kind, each.times) for each in rows(WithheldRequest)]


# A keyword that the customer typed


def test_a_typed_keyword_is_answered_with_a_sentence_when_the_opt_in_is_held(shop: Shop):
    shop.arrange.opt_in(shop.topic, shop.lan, fanpage_id=shop.fanpage)
    assert shop.hears(text="hoa") == 1
    (said,) = rows(Reply)
    assert OTNR["title"] in words_of(said)
    assert rows(Request) == []
    assert withheld() == [("holds", "keyword", 1)]


def test_a_typed_keyword_in_the_cool_down_leads_to_the_request_above(shop: Shop):
    assert shop.hears(text="hoa") == 1
    assert shop.hears(text="hoa", after=2 * DAY) == 1
    assert shop.hears(text="hoa", after=2 * DAY + timedelta(hours=1)) == 1
    assert shop.hears(text="hoa", after=7 * DAY) == 1
    assert len(rows(Request)) == 2
    assert withheld() == [("cool_down", "keyword", 2)]


def test_a_keyword_typed_twice_is_answered_once(shop: Shop):
    assert (shop.hears(text="hoa"), shop.hears(text="hoa", after=timedelta(seconds=3))) == (1, 0)
    assert withheld() == [("just_now", "keyword", 1)]


def test_the_third_topic_of_a_day_waits_for_tomorrow(shop: Shop):
    for number in range(3):
        topic = shop.arrange.topic(shop.fanpage, f"Chủ đề {number}")
        shop.topic = topic
        shop.entry(shop.message(f"Tin {number}", [("otnr", OTNR)]), "keyword", f"k{number}", "exact")
    sent = [shop.hears(text=f"k{number}", after=timedelta(minutes=number)) for number in range(3)]
    assert sent == [1, 1, 1]
    assert len(rows(Request)) == 2
    assert withheld() == [("day", "keyword", 1)]
    shop.hears(text="k2", after=DAY)
    assert len(rows(Request)) == 3


def test_a_message_is_sent_without_its_request(shop: Shop):
    shop.arrange.opt_in(shop.topic, shop.lan, fanpage_id=shop.fanpage)
    assert shop.hears(payload="GET_STARTED") == 2
    hello, said = rows(Reply)
    assert words_of(hello).startswith("Chào")
    assert words_of(said)
    assert said.request_id is None


def test_a_request_whose_message_could_not_be_sent_does_not_count(shop: Shop):
    shop.hears(text="hoa")
    change(Reply, rows(Reply)[0].id, state="failed", reason="temporary")
    shop.hears(text="hoa", after=timedelta(hours=1))
    assert len(rows(Request)) == 2


def test_limits_are_those_of_the_fanpage(shop: Shop):
    change(Fanpage, shop.fanpage, ask_cool_down_days=0, asks_a_day=0, asks_holders=True)
    shop.arrange.opt_in(shop.topic, shop.lan, fanpage_id=shop.fanpage)
    for hours in range(4):
        shop.hears(text="hoa", after=timedelta(hours=hours))
    assert len(rows(Request)) == 4


def test_an_opt_in_that_waits_for_its_broadcast_is_held_and_one_under_way_is_used(shop: Shop):
    opt_in = shop.arrange.opt_in(shop.topic, shop.lan, fanpage_id=shop.fanpage, state="reserved")
    values = {"fanpage_id": shop.fanpage, "topic_id": shop.topic, "name": "Tin", "content": {}}
    times = {"created_at": shop.now, "updated_at": shop.now}
    broadcast = shop.arrange.save(Broadcast(**values, **times, state="sending"))
    delivery = shop.arrange.save(
        Delivery(broadcast_id=broadcast, customer_id=shop.lan, opt_in_id=opt_in, state="queued")
    )
    shop.hears(text="hoa")
    assert withheld() == [("holds", "keyword", 1)]
    change(Delivery, delivery, state="sending")
    shop.hears(text="hoa", after=timedelta(hours=1))
    assert len(rows(Request)) == 1


# The button


def test_the_button_asks_about_its_topic(shop: Shop):
    holds_spent(shop)
    assert shop.hears(payload=f"ask:{shop.topic}", text="Báo tôi lần sau") == 1
    (request,) = rows(Request)
    assert (request.entry_kind, request.entry_value, request.topic_id) == (
        "again",
        "Báo tôi lần sau",
        shop.topic,
    )
    assert rows(Reply)[0].body["attachment"]["payload"]["template_type"] == "one_time_notif_req"


def test_the_button_uses_the_wording_chosen_for_the_topic(shop: Shop):
    change(Topic, shop.topic, ask_message_id=shop.welcome)
    shop.hears(payload=f"ask:{shop.topic}")
    assert rows(Request)[0].message_id == shop.welcome


@pytest.mark.parametrize("payload", ["ask:", "ask:x", "ask:-1", "ask:²", "ask:99999999999999999999"])
def test_a_payload_that_names_no_topic_asks_nothing(shop: Shop, payload: str):
    assert shop.hears(payload=payload) == 0
    assert rows(Request) == []


def test_a_button_of_another_fanpage_asks_nothing(shop: Shop):
    other = Shop(shop.arrange)
    assert shop.hears(payload=f"ask:{other.topic}") == 0


def test_a_button_whose_topic_is_archived_is_answered_politely(shop: Shop):
    change(Topic, shop.topic, archived_at=shop.now)
    assert shop.hears(payload=f"ask:{shop.topic}") == 1
    assert rows(Request) == []
    assert withheld() == [("no_wording", "again", 1)]


# The rule


def test_the_rule_is_off_until_somebody_turns_it_on(shop: Shop):
    holds_spent(shop)
    assert writes(shop) == 0


def test_the_rule_asks_who_has_no_opt_in_left(shop: Shop):
    change(Topic, shop.topic, asks_again=True)
    assert writes(shop) == 0  # they never agreed to anything
    holds_spent(shop)
    assert writes(shop) == 1
    assert rows(Request)[0].entry_kind == "rule"


@pytest.mark.parametrize("state", ["available", "reserved"])
def test_the_rule_leaves_who_still_holds_an_opt_in(shop: Shop, state: str):
    change(Topic, shop.topic, asks_again=True)
    holds_spent(shop)
    opt_in = shop.arrange.opt_in(shop.topic, shop.lan, fanpage_id=shop.fanpage, state=state)
    if state == "reserved":
        values = {"fanpage_id": shop.fanpage, "topic_id": shop.topic, "name": "Tin", "content": {}}
        times = {"created_at": shop.now, "updated_at": shop.now}
        broadcast = shop.arrange.save(Broadcast(**values, **times))
        shop.arrange.save(Delivery(broadcast_id=broadcast, customer_id=shop.lan, opt_in_id=opt_in))
    assert writes(shop) == 0
    assert withheld() == []


def test_the_rule_is_silent_in_the_cool_down_and_counts_it(shop: Shop):
    change(Topic, shop.topic, asks_again=True)
    holds_spent(shop)
    sent = [writes(shop, after=after) for after in (timedelta(), timedelta(seconds=5), DAY, 7 * DAY)]
    assert sent == [1, 0, 0, 1]
    assert withheld() == [("cool_down", "rule", 1)]


def test_the_rule_never_asks_who_has_said_no(shop: Shop):
    from core.consent import ledger
    from core.consent.rules import WithdrawalSource

    change(Topic, shop.topic, asks_again=True)
    holds_spent(shop)
    with transaction() as db:
        source = WithdrawalSource.KEYWORD
        no = {"fanpage_id": shop.fanpage, "source": source, "at": shop.now, "now": shop.now}
        ledger.withdraw(db, shop.lan, None, **no)
    assert writes(shop, after=DAY) == 0
    other = shop.arrange.topic(shop.fanpage, "Chủ đề khác")
    agreed = {"consented_at": shop.now + timedelta(hours=1), "state": "spent", "fanpage_id": shop.fanpage}
    shop.arrange.opt_in(other, shop.lan, **agreed)  # an opt-in for another topic takes nothing back
    assert writes(shop, after=DAY) == 0
    holds_spent(shop, consented_at=shop.now + timedelta(hours=1))  # agreed anew since, and was notified
    assert writes(shop, after=DAY) == 1


def test_the_rule_asks_about_one_topic_at_a_time(shop: Shop):
    first = shop.topic
    second = shop.topic = shop.arrange.topic(shop.fanpage, "Chủ đề khác")
    shop.message("Tin khác", [("otnr", OTNR)])
    for topic in (first, second):
        change(Topic, topic, asks_again=True)
        shop.arrange.opt_in(topic, shop.lan, fanpage_id=shop.fanpage, state="spent")
    assert [writes(shop, after=timedelta(minutes=n)) for n in range(3)] == [1, 1, 0]
    assert [each.topic_id for each in rows(Request)] == [first, second]


def test_nothing_is_asked_once_the_window_is_closed(shop: Shop):
    change(Topic, shop.topic, asks_again=True)
    holds_spent(shop)
    assert writes(shop, after=timedelta(days=401)) == 0
    assert rows(OptIn)[0].state == "spent"


def test_no_sentence_is_lost_in_translation(shop: Shop):
    """Each sentence that stands for a request names the promise, in every language."""
    from core.consent.asking_rules import SENTENCES, Withheld
    from core.text.catalogues import languages, say_in

    for language in languages():
        for reason, sentence in SENTENCES.items():
            said = say_in(language)(sentence)
            assert ("{promise}" in said) == (reason != Withheld.NO_WORDING)


def test_an_answer_begins_once(shop: Shop):
    with transaction() as db:
        answer_event(db, fanpage_id=shop.fanpage, customer_id=shop.lan, payload="GET_STARTED", now=shop.now)
    with reading() as db:
        begins = db.exec(select(Reply.begins_answer).order_by(Reply.id)).all()
    assert begins == [True, False]
