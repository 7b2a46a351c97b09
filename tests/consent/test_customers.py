"""Customers are found by name, with marks or without, and by PSID."""

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.consent import customer_queries as customers
from core.customers.tag_actions import add_tag
from core.customers.tags import list_tags
from core.db.tables import Broadcast, Delivery, Request
from core.errors import NotFound
from core.text.matching import search_key


def a_customer(arrange, fanpage, first, last, psid, **more):
    text = f"{search_key(f'{last} {first}')} {psid}"
    return arrange.customer(fanpage, first, last_name=last, psid=psid, search_text=text, **more)


@pytest.mark.parametrize(
    "search",
    ["Nguyễn", "nguyen", "NGUYEN thi", "thuy nguyen", "Thúy", "thu", "8800123", " đặng", "dang"],
)
def test_a_part_of_the_name_or_psid_finds_a_customer(arrange, fanpage, now, search):
    wanted = a_customer(arrange, fanpage, "Thuý", "Nguyễn Thị Đặng", "25880012345")
    a_customer(arrange, fanpage, "An", "Lê", "25990000000")
    found = customers.list_customers(fanpage, now=now, search=search)
    assert [customer.id for customer in found] == [wanted]
    assert customers.count_customers(fanpage, now=now, search=search) == 1


@pytest.mark.parametrize("search", ["%", "_", "an_", "???", "nguyenx"])
def test_signs_of_a_pattern_find_nothing_by_themselves(arrange, fanpage, now, search):
    a_customer(arrange, fanpage, "Thuý", "Nguyễn", "25880012345")
    assert customers.count_customers(fanpage, now=now, search=search) == 0


def test_the_newest_come_first_page_by_page_and_other_fanpages_stay_out(arrange, fanpage, now):
    ids = [arrange.customer(fanpage, str(number)) for number in range(5)]
    arrange.customer(arrange.fanpage("Khác"))
    pages = [customers.list_customers(fanpage, now=now, offset=at, limit=2) for at in (0, 2, 4)]
    assert [customer.id for page in pages for customer in page] == ids[::-1]
    assert customers.count_customers(fanpage, now=now) == 5


def test_a_customer_shows_the_topics_that_may_still_be_used(arrange, fanpage, now):
    lan = a_customer(arrange, fanpage, "Lan", "Trần", "25880012345")
    new, sale = arrange.topic(fanpage, "Hàng mới"), arrange.topic(fanpage, "Sale")
    for topic, state, days in [
        (new, "available", 1),
        (new, "available", 2),
        (sale, "spent", 1),
        (sale, "available", 365),
    ]:
        arrange.opt_in(topic, lan, fanpage_id=fanpage, state=state, consented_at=now - timedelta(days=days))
    customer = customers.get_customer(lan, now=now)
    assert (customer.name, customer.available, customer.topics) == ("Trần Lan", 2, ("Hàng mới",))


def test_filters_choose_holders_open_windows_and_the_unreachable(arrange, fanpage, now):
    topic = arrange.topic(fanpage)
    holder = arrange.customer(fanpage)
    arrange.opt_in(topic, holder, fanpage_id=fanpage)
    arrange.opt_in(topic, holder, fanpage_id=fanpage)
    open_window = arrange.customer(fanpage, window_closes_at=now + timedelta(hours=1))
    arrange.customer(fanpage, window_closes_at=now - timedelta(hours=1))
    gone = arrange.customer(fanpage, unreachable_at=now, unreachable_code="blocked")
    used_up = arrange.customer(fanpage)
    arrange.opt_in(topic, used_up, fanpage_id=fanpage, state="spent")
    for only, expected in {"holding": [holder], "window": [open_window], "unreachable": [gone]}.items():
        found = customers.list_customers(fanpage, now=now, only=only)
        assert [customer.id for customer in found] == expected
        assert customers.count_customers(fanpage, now=now, only=only) == 1


def test_what_a_customer_was_asked_and_sent_is_listed_latest_first(arrange, fanpage, now):
    topic, lan = arrange.topic(fanpage), arrange.customer(fanpage)
    for number in range(2):
        request = Request(fanpage_id=fanpage, customer_id=lan, topic_id=topic, title=f"Báo {number}")
        request.payload, request.created_at = f"otn.{number}", now
        arrange.save(request)
    opt_in = arrange.opt_in(topic, lan, fanpage_id=fanpage, state="spent")
    broadcast = Broadcast(fanpage_id=fanpage, topic_id=topic, name="Đợt 1", content={}, state="finished")
    broadcast.created_at = broadcast.updated_at = now
    broadcast_id = arrange.save(broadcast)
    arrange.save(Delivery(broadcast_id=broadcast_id, customer_id=lan, opt_in_id=opt_in, state="sent"))
    assert [request.title for request in customers.list_requests(lan)] == ["Báo 1", "Báo 0"]
    assert [(d.broadcast, d.state) for d in customers.list_deliveries(lan)] == [("Đợt 1", "sent")]


def test_customers_are_known_by_psid_per_fanpage(arrange, fanpage, now):
    lan = arrange.customer(fanpage, psid="123")
    assert customers.find_customer(fanpage, "123") == lan
    assert customers.find_customer(arrange.fanpage("Khác"), "123") is None
    with pytest.raises(NotFound):
        customers.get_customer(999, now=now)


def test_customers_are_listed_by_name_either_way_and_by_tag(arrange, fanpage, now):
    an, binh = (a_customer(arrange, fanpage, name, "Lê", psid) for name, psid in (("An", "1"), ("Bình", "2")))
    listed = [customers.list_customers(fanpage, now=now, order=order) for order in ("name", "-name", "-new")]
    assert [[each.id for each in rows] for rows in listed] == [[an, binh], [binh, an], [binh, an]]
    add_tag(COMMAND_LINE, an, "VIP", now=now)
    (tag,) = list_tags(fanpage)
    (found,) = customers.list_customers(fanpage, now=now, tag_id=tag.id)
    assert (found.id, found.tags) == (an, ("VIP",))
    assert customers.count_customers(fanpage, now=now, only="holding", tag_id=tag.id) == 0
