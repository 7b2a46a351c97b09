"""Which slots a fanpage gets, and how many messages late ones let into a second."""

from __future__ import annotations

import math

import pytest
from core.sending.flights import MAKE_UP
from core.sending.pace import Speed

from core.sending import pace
from core.sending.rules import batch_size
from tests.arrange import Arrange

SPEED = Speed(rate=100.0, held_until=0.0)
NOON = 1_800_000_000.0


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    fanpage_id = arrange.fanpage()
    pace.reserve(fanpage_id, 5, SPEED, at=NOON)  # up to 0.05 after noon
    return fanpage_id


def test_who_comes_a_little_late_goes_on_where_the_last_one_ended(fanpage: int) -> None:
    late = NOON + 0.05 + pace.CATCH_UP_SECONDS - 0.01
    assert pace.reserve(fanpage, 5, SPEED, at=late) == pytest.approx((NOON + 0.05, NOON + 0.1))


def test_after_a_longer_pause_slots_begin_anew(fanpage: int) -> None:
    late = NOON + 0.05 + pace.CATCH_UP_SECONDS + 0.01
    assert pace.reserve(fanpage, 5, SPEED, at=late)[0] == pytest.approx(late)


def test_a_hold_is_not_made_up_for(fanpage: int) -> None:
    held = Speed(100.0, held_until=NOON + 0.2)
    assert pace.reserve(fanpage, 5, held, at=NOON + 0.3)[0] == pytest.approx(NOON + 0.3)


@pytest.mark.parametrize("rate", range(1, 301))
def test_late_handfuls_fill_no_second_beyond_the_rate_and_a_tenth(rate: int) -> None:
    size = batch_size(rate)
    handfuls = math.floor(MAKE_UP * rate / size) + 1  # whose beginnings fit into a second
    assert handfuls * size <= rate + max(1, rate // 10)
