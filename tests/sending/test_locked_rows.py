"""Ending a large broadcast keeps its row locked for a while; nothing else of the fanpage waits for that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from core.sending.pump import Pump

from core.broadcasts import clockwork
from core.sending import claims, pump
from core.tables import Reply
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio

pytestmark = pytest.mark.postgresql


@contextmanager
def locked(database: TestDatabase, broadcast_id: int) -> Iterator[None]:
    with psycopg.connect(database.url.replace("+psycopg", "")) as holder:
        holder.execute("UPDATE broadcast SET updated_at = updated_at WHERE id = %s", [broadcast_id])
        yield
        holder.rollback()


def two_broadcasts(studio: Studio) -> tuple[int, int]:
    """Of two people each."""
    made = []
    for name in ("first", "second"):
        studio.topic_id = studio.arrange.topic(studio.fanpage_id, name)
        for n in range(2):
            studio.opt_in(f"{name}-{n}")
        made.append(studio.broadcast())
        studio.launch(made[-1], best_before=studio.now + timedelta(hours=1))
    return made[0], made[1]


def step_until(a_pump: Pump, is_reached: Callable[[float | None], bool]) -> None:
    for _ in range(500):
        pause = a_pump.step()
        if is_reached(pause):
            return
        assert pause is not None, "it has stopped"
        time.sleep(pause)
    raise AssertionError("never reached")


def test_a_pump_goes_on_with_what_is_free_and_waits_for_the_rest(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, second = two_broadcasts(studio)
    customer_id = studio.arrange.customer(
        studio.fanpage_id, window_closes_at=studio.now + timedelta(hours=20)
    )
    answer = Reply(
        fanpage_id=studio.fanpage_id, customer_id=customer_id, body={"text": "x"}, created_at=studio.now
    )
    studio.arrange.save(answer)
    a_pump = studio.pump()
    with locked(fresh_database, first):
        step_until(
            a_pump, lambda _pause: len(studio.platform.accepted) == 2 and bool(studio.platform.to_psids)
        )
        step_until(a_pump, lambda pause: pause == pump.BUSY_SECONDS)  # nothing else is left
        for _ in range(10):
            assert a_pump.step()  # neither at once again, nor never
        assert studio.show(first).counts["queued"] == 2
    step_until(a_pump, lambda pause: pause is None)
    assert studio.show(first).counts["sent"] == studio.show(second).counts["sent"] == 2


def test_a_late_broadcast_ends_although_another_is_being_changed(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, second = two_broadcasts(studio)
    late = studio.now + timedelta(hours=2)
    with locked(fresh_database, first):
        assert clockwork.end_too_late(now=late) == 2
    assert studio.show(second).counts["skipped"] == 2
    assert clockwork.end_too_late(now=late) == 2
    assert studio.show(first).counts["skipped"] == 2


def test_lost_claims_are_taken_over_although_another_broadcast_is_being_changed(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, second = two_broadcasts(studio)
    for broadcast_id in (first, second):
        claiming.claim(broadcast_id, 2, worker="worker dead", now=studio.now)
    later = studio.now + timedelta(minutes=2)
    with locked(fresh_database, first):
        assert claims.take_over_lost(now=later) == 2
    assert studio.show(second).counts["queued"] == 2
    assert claims.take_over_lost(now=later) == 2
