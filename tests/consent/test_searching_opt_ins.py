"""Opt-ins are found by their customer's name, whichever of the two ways of reading finds them sooner."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from core.consent import customer_queries
from core.consent.opt_in_queries import OptInFilter, count_opt_ins, list_opt_ins, walk_opt_ins
from core.customers.searching import FEW
from core.db.engine import reading
from core.text.matching import search_key

WAYS = [None, 1, FEW + 1]  # nobody knows how many there are; few; many


@pytest.fixture
def opt_ins(arrange, fanpage, now) -> dict[str, int]:
    """Two of Lan, one of Mai, and one of another fanpage's Lan, by a word for each; `other` is a topic."""
    topic, other = arrange.topic(fanpage, "Hàng mới"), arrange.topic(fanpage, "Sale")
    elsewhere = arrange.fanpage("Khác")
    lan, mai, stranger = (
        arrange.customer(
            page, name, last_name="Nguyễn", search_text=f"{search_key(f'Nguyễn {name}')} 25{place}"
        )
        for place, (page, name) in enumerate([(fanpage, "Lan"), (fanpage, "Mai"), (elsewhere, "Lan")])
    )
    made = {
        "old": arrange.opt_in(topic, lan, fanpage_id=fanpage, consented_at=now - timedelta(days=9)),
        "mai": arrange.opt_in(topic, mai, fanpage_id=fanpage),
        "spent": arrange.opt_in(other, lan, fanpage_id=fanpage, state="spent", consented_at=now),
    }
    arrange.opt_in(arrange.topic(elsewhere), stranger, fanpage_id=elsewhere)
    return {**made, "other": other}


@pytest.mark.parametrize("total", WAYS)
@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, ["spent", "old"]),
        ({"state": "available"}, ["old"]),
        ({"state": "expired"}, []),
        ({"topic_id": "other"}, ["spent"]),
    ],
)
def test_a_name_finds_its_opt_ins_beside_the_other_filters(fanpage, opt_ins, now, total, more, found) -> None:
    chosen = OptInFilter(search="lán", **{key: opt_ins.get(word, word) for key, word in more.items()})
    listed = [each.id for each in list_opt_ins(fanpage, chosen, now=now, total=total)]
    assert listed == [opt_ins[word] for word in found]
    assert count_opt_ins(fanpage, chosen, now=now) == len(found)
    assert [each.id for each in walk_opt_ins(fanpage, chosen, now=now)] == listed[::-1]


@pytest.mark.parametrize("total", WAYS)
def test_what_is_found_has_the_order_that_was_asked_for(fanpage, opt_ins, now, total) -> None:
    chosen = OptInFilter(search="nguyễn")
    by_day = [each.id for each in list_opt_ins(fanpage, chosen, now=now, order="agreed", total=total)]
    assert by_day == [opt_ins["old"], opt_ins["mai"], opt_ins["spent"]]
    second = list_opt_ins(fanpage, chosen, now=now, offset=1, limit=1, total=total)
    assert [each.id for each in second] == [opt_ins["mai"]]


@pytest.mark.parametrize("total", WAYS)
def test_customers_who_are_found_come_in_the_same_order_either_way(fanpage, opt_ins, now, total) -> None:
    found = customer_queries.list_customers(fanpage, now=now, search="nguyễn", total=total)
    assert [each.name for each in found] == ["Nguyễn Mai", "Nguyễn Lan"]


@pytest.mark.parametrize("total", WAYS)
@pytest.mark.parametrize("order", ["", "agreed", "-agreed"])
def test_the_few_in_a_state_are_the_same_either_way(fanpage, arrange, opt_ins, now, total, order) -> None:
    """Those without a topic and other fanpages' are told apart, too."""
    elsewhere = arrange.fanpage("Xa")
    arrange.opt_in(None, arrange.customer(elsewhere), fanpage_id=elsewhere, state="withdrawn")
    arrange.opt_in(
        arrange.topic(elsewhere), arrange.customer(elsewhere), fanpage_id=elsewhere, state="withdrawn"
    )
    homeless = arrange.opt_in(None, arrange.customer(fanpage), fanpage_id=fanpage, state="withdrawn")
    gone = arrange.opt_in(opt_ins["other"], arrange.customer(fanpage), fanpage_id=fanpage, state="withdrawn")
    for chosen, found in (
        (OptInFilter(state="withdrawn"), {homeless, gone}),
        (OptInFilter(state="withdrawn", topic_id=opt_ins["other"]), {gone}),
        (OptInFilter(state="withdrawn", without_topic=True), {homeless}),
        (OptInFilter(agreed=(now - timedelta(days=10), now - timedelta(days=8))), {opt_ins["old"]}),
    ):
        listed = list_opt_ins(fanpage, chosen, now=now, total=total, order=order)
        assert {each.id for each in listed} == found


@pytest.mark.sqlite  # PostgreSQL's plan depends on how many there are
@pytest.mark.parametrize("order", ["", "agreed", "-agreed"])
@pytest.mark.parametrize(
    ("chosen", "total", "index"),
    [
        (OptInFilter(customer_id=5), None, "ix_opt_in_customer_id (customer_id=?)"),
        (OptInFilter(state="withdrawn"), 3, "ix_opt_in_topic_id_state_customer_id (topic_id=? AND state=?)"),
        (OptInFilter(state="refused", topic_id=2), 3, "ix_opt_in_topic_id_state_customer_id (topic_id=? AND"),
    ],
)
@pytest.mark.usefixtures("fresh_database")
def test_few_opt_ins_are_found_by_what_chooses_them(now, chosen, total, index, order) -> None:
    """In the order of a list SQLite would read all of a fanpage until it has met fifty of them."""
    plan = _plan(lambda: list_opt_ins(1, chosen, now=now, total=total, order=order))
    assert index in plan, plan
    assert "ix_opt_in_fanpage" not in plan, plan


def _plan(read: Callable[[], object]) -> str:
    """How SQLite looks up what `read` asks for."""
    said: list[tuple[str, Any]] = []
    with reading() as db:
        engine = db.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *given: said.append((given[2], given[3])))
    read()
    statement, bound = said[-1]
    with reading() as db:
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", bound)
        return " / ".join(row[3] for row in plan)
