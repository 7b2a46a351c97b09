"""Opt-ins are found by their customer's name, whichever of the two ways of reading finds them sooner."""

from datetime import timedelta

import pytest

from core.consent import customer_queries
from core.consent.opt_in_queries import OptInFilter, count_opt_ins, list_opt_ins, walk_opt_ins
from core.customers.searching import FEW
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
