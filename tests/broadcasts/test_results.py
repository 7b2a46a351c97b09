"""A broadcast's result counts people, and the same condition lists them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.broadcasts import result_counting
from core.broadcasts.delivery_queries import count_deliveries, list_deliveries
from core.broadcasts.result_counting import count_result, count_results
from core.broadcasts.result_queries import earlier_results, get_result
from core.broadcasts.results import Result
from core.db.tables import Broadcast, Delivery, Request, Withdrawal

SHOP = "https://hoatuoi.vn/a"
TEXT = {"kind": "text", "text": f"Xem {SHOP} hoặc https://b.vn/x, hay lại {SHOP}"}
HOUR = timedelta(hours=1)


class Sent:
    """A broadcast that started at nine, with a delivery for whatever happens to a customer."""

    def __init__(self, arrange, now: datetime) -> None:
        self.arrange, self.now = arrange, now
        self.fanpage_id = arrange.fanpage()
        self.topic_id = arrange.topic(self.fanpage_id)
        self.started_at = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
        self.broadcast_id = self.broadcast(self.started_at)

    def broadcast(self, started_at: datetime, name: str = "Tết") -> int:
        row = Broadcast(
            fanpage_id=self.fanpage_id,
            topic_id=self.topic_id,
            name=name,
            content=TEXT,
            state="finished",
            started_at=started_at,
            created_at=started_at,
            updated_at=started_at,
        )
        return self.arrange.save(row)

    def to(self, *, after: timedelta = timedelta(0), broadcast_id: int | None = None, **more) -> int:
        """A delivery; returns its customer."""
        known = {key: more.pop(key) for key in ("unreachable_code", "unreachable_at") if key in more}
        customer_id = more.pop("customer_id", None) or self.arrange.customer(self.fanpage_id, **known)
        at = self.started_at + after
        values = {"state": "sent", "claimed_at": at, "settled_at": at} | more
        self.arrange.save(
            Delivery(broadcast_id=broadcast_id or self.broadcast_id, customer_id=customer_id, **values)
        )
        return customer_id

    def ask(self, customer_id: int, at: datetime, *, tapped: bool = False) -> None:
        self.arrange.save(
            Request(
                fanpage_id=self.fanpage_id,
                customer_id=customer_id,
                topic_id=self.topic_id,
                title="Báo tôi",
                payload=f"p{customer_id}.{at}",
                created_at=at,
                tapped_at=at if tapped else None,
            )
        )

    def say_no(self, customer_id: int, at: datetime, topic_id: int | None) -> None:
        self.arrange.save(
            Withdrawal(
                fanpage_id=self.fanpage_id,
                customer_id=customer_id,
                topic_id=topic_id,
                source="message",
                at=at,
                created_at=at,
            )
        )

    def count(self) -> dict[str, int]:
        count_result(self.broadcast_id, now=self.now)
        found = get_result(self.broadcast_id)
        assert found is not None
        return {name: people for name, people in found.people.items() if people}


@pytest.fixture
def sent(arrange, now, fresh_database, monkeypatch) -> Sent:
    monkeypatch.setattr(result_counting, "SHARE", 0)  # how long it takes here says nothing
    return Sent(arrange, now)


def test_what_was_delivered_read_clicked_and_answered(sent):
    at = sent.started_at
    sent.to()
    sent.to(delivered_at=at)
    sent.to(read_at=at)
    sent.to(delivered_at=at, read_at=at, clicked_at=at, clicked_links=1)
    sent.to(replied_at=at)
    sent.to(state="failed", reason="blocked", read_at=at)
    assert sent.count() == {"sent": 5, "delivered": 3, "read": 2, "clicked": 1, "replied": 1}


def test_who_cannot_be_reached_since(sent):
    later = sent.started_at + timedelta(days=9)
    sent.to(unreachable_code="blocked", unreachable_at=later)
    sent.to(unreachable_code="blocked", unreachable_at=sent.started_at - HOUR)
    got_another = sent.to(unreachable_code="blocked", unreachable_at=later)
    other = sent.broadcast(sent.started_at + timedelta(days=3))
    sent.to(broadcast_id=other, customer_id=got_another, after=timedelta(days=3))
    sent.to(unreachable_code="blocked", unreachable_at=later, after=HOUR)  # an hour after somebody else
    assert sent.count()["blocked"] == 2


def test_who_said_no_within_a_month(sent, arrange):
    elsewhere = arrange.topic(sent.fanpage_id, "Khác")
    at = sent.started_at
    for topic_id, when in [
        (None, at + HOUR),
        (sent.topic_id, at + HOUR),
        (elsewhere, at + HOUR),
        (None, at - HOUR),
        (None, at + timedelta(days=31)),
    ]:
        sent.say_no(sent.to(), when, topic_id)
    assert sent.count()["withdrew"] == 2


def test_who_was_asked_again_and_agreed(sent):
    at = sent.started_at
    sent.ask(sent.to(), at + HOUR)
    twice = sent.to()
    sent.ask(twice, at + HOUR, tapped=True)
    sent.ask(twice, at + 2 * HOUR, tapped=True)
    sent.ask(sent.to(), at - HOUR, tapped=True)
    counted = sent.count()
    assert (counted["asked_again"], counted["agreed_again"]) == (2, 1)


def test_the_people_behind_a_number_are_those_whom_it_counts(sent):
    at = sent.started_at
    for more in ({"read_at": at}, {"clicked_at": at, "clicked_links": 1}, {"replied_at": at}, {}):
        sent.ask(sent.to(**more), at + HOUR)
    sent.count()
    result = get_result(sent.broadcast_id)
    for word in Result:
        assert count_deliveries(sent.broadcast_id, arrival=word) == result.count(word)
        assert len(list_deliveries(sent.broadcast_id, arrival=word)) == result.count(word)


def test_the_same_address_twice_in_a_message_counts_a_person_once(sent):
    at = sent.started_at
    sent.to(clicked_at=at, clicked_links=0b101)
    sent.to(clicked_at=at, clicked_links=0b010)
    sent.to(clicked_at=at, clicked_links=0b011)
    sent.count()
    assert get_result(sent.broadcast_id).links == {SHOP: 2, "https://b.vn/x": 2}


def test_hours_begin_when_they_begin(sent):
    at = sent.started_at
    sent.to(read_at=at + timedelta(minutes=59))
    sent.to(read_at=at + timedelta(minutes=60), replied_at=at + timedelta(hours=200))
    sent.count()
    assert [(hour.at, hour.people) for hour in get_result(sent.broadcast_id).hours] == [
        (at, {"sent": 2, "read": 1}),
        (at + HOUR, {"read": 1}),
    ]


def test_it_is_counted_at_once_and_then_ever_more_rarely(sent):
    sent.now = sent.started_at + timedelta(minutes=1)
    assert count_results(now=sent.now) == [sent.broadcast_id]
    assert count_results(now=sent.now + timedelta(seconds=5)) == []
    assert count_results(now=sent.now + timedelta(seconds=20)) == [sent.broadcast_id]
    after_a_day = sent.started_at + timedelta(days=1)
    assert count_results(now=after_a_day) == [sent.broadcast_id]
    assert count_results(now=after_a_day + timedelta(minutes=10)) == []
    assert count_results(now=after_a_day + timedelta(days=60)) == []


def test_beside_many_each_run_counts_those_that_have_waited_longest(sent, monkeypatch):
    """Counting hundreds of broadcasts every few seconds would cost more than sending them."""
    monkeypatch.setattr(result_counting, "AT_ONCE_SECONDS", 0.0)
    ids = [sent.broadcast_id, *(sent.broadcast(sent.started_at, f"{n}") for n in range(2))]
    at = sent.started_at
    in_turn = [count_results(now=at + timedelta(seconds=20 * n)) for n in range(2 * len(ids))]
    assert in_turn == [[each] for each in [*ids, *ids]]


def test_earlier_ones_of_the_topic_come_latest_first(sent):
    for days in (1, 3, 2):
        count_result(sent.broadcast(sent.started_at - timedelta(days=days), f"{days}"), now=sent.now)
    names = [result.name for result in earlier_results(sent.topic_id, sent.started_at)]
    assert names == ["1", "2", "3"]
