"""The opt-ins of a fanpage are counted by day, by end, and by how many one person holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.consent import counting
from core.consent.counting import count_fanpage, count_opt_ins
from core.consent.opt_in_count_queries import Holdings, get_stock_of, list_holders
from core.consent.rules import expires_at
from core.db.engine import transaction
from core.db.tables import OptInCount

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
LIFE = expires_at(NOW) - NOW


@pytest.fixture
def shop(arrange):
    fanpage_id = arrange.fanpage()
    return fanpage_id, arrange.topic(fanpage_id)


def give(arrange, shop, *, ends: datetime, customer: int | None = None, **more) -> int:
    fanpage_id, topic_id = shop
    customer = customer or arrange.customer(fanpage_id)
    consented_at = ends - LIFE
    arrange.opt_in(
        topic_id, customer, fanpage_id=fanpage_id, consented_at=consented_at, expires_at=ends, **more
    )
    return customer


def counted(shop):
    count_fanpage(shop[0], ZONE, now=NOW)
    found = get_stock_of(shop[0])
    assert found is not None
    return found


def test_days_are_those_of_the_fanpage(arrange, shop) -> None:
    late = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)  # one in the morning of the 21st
    give(arrange, shop, ends=late + LIFE)
    give(arrange, shop, ends=late - timedelta(hours=3) + LIFE, state="spent")
    assert counted(shop).agreed == {"2026-11-20": 1, "2026-11-21": 1}


def test_what_ended_unused_is_counted_also_before_it_was_marked(arrange, shop) -> None:
    give(arrange, shop, ends=NOW - timedelta(days=2), state="expired")
    give(arrange, shop, ends=NOW - timedelta(hours=1))
    give(arrange, shop, ends=NOW - timedelta(hours=1), state="spent")
    give(arrange, shop, ends=NOW - timedelta(days=90), state="expired")
    found = counted(shop)
    assert found.lapsed == {"2026-11-20": 1, "2026-11-22": 1}
    assert found.topics == {}


def test_ends_are_told_by_day_and_then_by_month(arrange, shop) -> None:
    for days in (3, 20, 45, 200, 201):
        give(arrange, shop, ends=NOW + timedelta(days=days))
    holdings = counted(shop).of(shop[1])
    assert [holdings.ending_within(days, TODAY) for days in (7, 30, 60)] == [1, 2, 3]
    assert holdings.by_month() == {"2026-11": 1, "2026-12": 1, "2027-01": 1, "2027-06": 2}
    assert holdings.opt_ins == 5


def test_people_are_counted_by_how_many_they_hold(arrange, shop) -> None:
    twice = give(arrange, shop, ends=NOW + timedelta(days=3))
    give(arrange, shop, ends=NOW + timedelta(days=9), customer=twice)
    give(arrange, shop, ends=NOW + timedelta(days=9))
    holdings = counted(shop).of(shop[1])
    assert (holdings.people, holdings.holding(2), holdings.holding(3)) == (2, 1, 0)
    (holder,) = list_holders(shop[1], now=NOW)
    assert (holder.customer_id, holder.opt_ins, holder.first_end) == (twice, 2, NOW + timedelta(days=3))


def test_who_cannot_be_reached_is_left_out(arrange, shop) -> None:
    blocked = arrange.customer(
        shop[0], unreachable_code="blocked", unreachable_at=NOW, unreachable_firm_at=NOW
    )
    give(arrange, shop, ends=NOW + timedelta(days=3), customer=blocked)
    give(arrange, shop, ends=NOW + timedelta(days=3))
    assert counted(shop).of(shop[1]).people == 1


def test_what_is_held_spent_or_withdrawn_is_no_stock(arrange, shop) -> None:
    for state in ("reserved", "spent", "withdrawn", "refused"):
        give(arrange, shop, ends=NOW + timedelta(days=30), state=state)
    assert counted(shop).of(shop[1]) == Holdings()


def test_a_counting_that_took_long_is_repeated_seldom(arrange, shop) -> None:
    count_opt_ins(now=NOW)
    with transaction() as db:
        db.get(OptInCount, shop[0]).seconds = 3.0
    for passed, is_counted in ((counting.FRESH, False), (timedelta(seconds=300), True)):
        count_opt_ins(now=NOW + passed)
        found = get_stock_of(shop[0])
        assert found is not None
        assert (found.counted_at == NOW + passed) is is_counted


def test_beside_many_fanpages_the_counting_goes_on_the_next_time(arrange, shop, monkeypatch) -> None:
    monkeypatch.setattr(counting, "AT_ONCE_SECONDS", 0.0)
    other = arrange.fanpage()
    count_opt_ins(now=NOW)
    assert [get_stock_of(each) is not None for each in (shop[0], other)] == [True, False]
    count_opt_ins(now=NOW)
    assert get_stock_of(other) is not None
