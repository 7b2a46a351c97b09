"""Slots that nobody used go to the next worker, so that the pace goes on without a gap, and never above."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from core.sending.flights import Slots
from core.sending.pace import Speed

from core.database import reading
from core.sending import pace
from core.tables import Pace
from tests.sending.conftest import Studio
from tests.sending.test_locked_rows import step_until

SPEED = Speed(rate=100.0, held_until=0.0)


def next_free(studio: Studio) -> float:
    with reading() as db:
        return db.get_one(Pace, studio.fanpage_id).next_free


def test_what_is_given_back_is_the_next_ones(studio: Studio) -> None:
    at = studio.now.timestamp()
    begin, upto = pace.reserve(studio.fanpage_id, 25, SPEED, at=at)
    for _ in range(2):  # the second time it is no longer ours
        pace.give_back(studio.fanpage_id, upto=upto, begin=begin + 0.05)
    assert pace.reserve(studio.fanpage_id, 5, SPEED, at=at)[0] == pytest.approx(at + 0.05)


def test_nothing_is_given_back_once_somebody_has_reserved_after_us(studio: Studio) -> None:
    slots = Slots(studio.fanpage_id, lambda: studio.now)
    slots.next(SPEED)
    others = pace.reserve(studio.fanpage_id, 1, SPEED, at=studio.now.timestamp())
    slots.give_back_after(0.0)
    assert next_free(studio) == others[1]


def test_nothing_of_what_others_reserved_before_us_is_given_back(studio: Studio) -> None:
    slots, at = Slots(studio.fanpage_id, lambda: studio.now), studio.now.timestamp()
    slots.next(SPEED)
    others = pace.reserve(studio.fanpage_id, 50, SPEED, at=at)
    while slots._reserved:
        slots.take()
    slots.next(SPEED)
    slots.give_back_after(0.0)
    assert next_free(studio) == pytest.approx(others[1])


def test_a_pump_that_is_told_to_stop_leaves_off_where_its_last_message_left(studio: Studio) -> None:
    studio.people(200)
    studio.launch(studio.broadcast())
    stop = threading.Event()
    a_pump = studio.pump(stop=stop)
    began = time.monotonic()
    a_pump._slots._clock = lambda: studio.now + timedelta(seconds=time.monotonic() - began)
    step_until(a_pump, lambda _pause: len(studio.platform.accepted) > 30)
    stop.set()
    step_until(a_pump, lambda pause: pause is None)
    used = next_free(studio) - studio.now.timestamp()
    # Not before the last that left, nor behind what has passed by now and one handful.
    assert used >= len(studio.platform.accepted) / 300 - 0.002
    assert used <= time.monotonic() - began + 15 / 300
