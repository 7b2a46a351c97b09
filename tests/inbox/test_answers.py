"""Who answered a broadcast."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.db.tables import Broadcast, Delivery
from core.inbox import processing
from core.inbox.event_parser import parse_body
from tests.inbox.platform import PAGE, body, said


@pytest.fixture
def delivered(arrange, now):
    """One delivery that was sent an hour ago to the customer with this PSID; its id."""
    fanpage_id = arrange.fanpage(page_id=PAGE)
    topic_id = arrange.topic(fanpage_id)
    customer_id = arrange.customer(fanpage_id, psid="25")

    def _delivered(at: datetime) -> int:
        made = arrange.save(
            Broadcast(
                fanpage_id=fanpage_id,
                topic_id=topic_id,
                name="Tết",
                content={},
                created_at=now,
                updated_at=now,
            )
        )
        return arrange.save(
            Delivery(broadcast_id=made, customer_id=customer_id, state="sent", claimed_at=at, settled_at=at)
        )

    return _delivered


def hear(*events, now) -> None:
    processing.store_events(parse_body(body(*events, page_id=PAGE), now))
    processing.apply_pending(limit=100, now=now)


def answered(database) -> list:
    return database.rows("SELECT replied_at IS NOT NULL FROM delivery ORDER BY id")


def test_who_writes_within_a_day_has_answered(delivered, now, fresh_database):
    delivered(now - timedelta(hours=23))
    hear(said("25", now, "Còn hàng không?", "m.1"), now=now)
    assert answered(fresh_database) == [(1,)]


def test_what_comes_later_or_before_is_no_answer(delivered, now, fresh_database):
    delivered(now - timedelta(hours=25))
    delivered(now + timedelta(minutes=1))
    hear(said("25", now, "Shop ơi", "m.2"), now=now)
    assert answered(fresh_database) == [(0,), (0,)]


def test_it_is_the_answer_to_the_last_broadcast_only(delivered, now, fresh_database):
    delivered(now - timedelta(hours=9))
    delivered(now - timedelta(hours=2))
    hear(
        said("25", now, "Shop ơi", "m.3"),
        said("25", now + timedelta(seconds=1), "Alo", "m.4"),
        now=now + timedelta(seconds=2),
    )
    assert answered(fresh_database) == [(0,), (1,)]


def test_the_first_answer_stays(delivered, now, fresh_database):
    delivered(now - timedelta(hours=2))
    hear(said("25", now, "Shop ơi", "m.5"), now=now)
    (first,) = fresh_database.rows("SELECT replied_at FROM delivery")
    hear(said("25", now + timedelta(hours=1), "Alo", "m.6"), now=now + timedelta(hours=1))
    assert fresh_database.rows("SELECT replied_at FROM delivery") == [first]
