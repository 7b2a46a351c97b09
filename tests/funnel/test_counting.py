"""The funnel counts requests of a day by how far they led, all on one base."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.db.tables import Broadcast, Delivery, Reply, Request
from core.funnel import counting
from core.funnel.counting import count_funnel, count_funnels
from core.funnel.queries import Figures, Funnel, topic_funnel, wording_tests
from core.funnel.rules import Split, Verdict

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class Campaign:
    """Requests about one topic, each as far as it got."""

    def __init__(self, arrange, now: datetime) -> None:
        self.arrange, self.now = arrange, now
        self.fanpage_id = arrange.fanpage()
        self.topic_id = arrange.topic(self.fanpage_id)
        self.broadcast_id = arrange.save(
            Broadcast(
                fanpage_id=self.fanpage_id,
                topic_id=self.topic_id,
                name="Tết",
                content={},
                created_at=now,
                updated_at=now,
            )
        )
        self._number = 0

    def ask(self, *, at: datetime | None = None, reply: str = "sent", **more) -> int:
        self._number += 1
        values = {"title": "Báo tôi khi có hàng", "entry_kind": "keyword", "entry_value": "hoa"} | more
        seen, tapped = values.pop("seen", False), values.pop("tapped", False)
        customer_id = self.arrange.customer(self.fanpage_id)
        at = at or self.now
        request_id = self.arrange.save(
            Request(
                fanpage_id=self.fanpage_id,
                customer_id=customer_id,
                topic_id=self.topic_id,
                payload=f"p{self._number}",
                tapped_at=at if tapped else None,
                created_at=at,
                **values,
            )
        )
        self.arrange.save(
            Reply(
                fanpage_id=self.fanpage_id,
                customer_id=customer_id,
                request_id=request_id,
                body={},
                state=reply,
                created_at=at,
                read_at=at if seen else None,
            )
        )
        self.customer_id = customer_id
        return request_id

    def notify(
        self, request_id: int, *, state: str = "sent", read: bool = False, clicked: bool = False
    ) -> None:
        opt_in_id = self.arrange.opt_in(
            self.topic_id, self.customer_id, fanpage_id=self.fanpage_id, request_id=request_id
        )
        self.arrange.save(
            Delivery(
                broadcast_id=self.broadcast_id,
                customer_id=self.customer_id,
                opt_in_id=opt_in_id,
                state=state,
                read_at=self.now if read else None,
                clicked_at=self.now if clicked else None,
            )
        )

    def count(self, **more) -> Funnel:
        count_funnels(now=self.now)
        return topic_funnel(self.topic_id, **more)


@pytest.fixture
def campaign(arrange, now, fresh_database, monkeypatch) -> Campaign:
    monkeypatch.setattr(counting, "SHARE", 0)  # how long it takes here says nothing
    return Campaign(arrange, now)


def test_every_figure_counts_the_same_requests(campaign):
    campaign.ask()
    campaign.ask(seen=True)
    campaign.notify(campaign.ask(tapped=True), state="failed")
    campaign.notify(campaign.ask(tapped=True))
    campaign.notify(campaign.ask(tapped=True), read=True)
    campaign.notify(campaign.ask(tapped=True), clicked=True)  # the phone never said that it was read
    assert campaign.count().total == Figures(asked=6, seen=5, tapped=4, notified=3, read=2, clicked=1)


def test_whom_no_request_reached_was_not_asked(campaign):
    for state in ("queued", "failed", "skipped"):
        campaign.ask(reply=state)
    campaign.ask(reply="unknown")
    assert campaign.count().total == Figures(asked=1)


def test_opt_ins_of_an_import_are_not_in_it(campaign, arrange):
    arrange.opt_in(campaign.topic_id, arrange.customer(campaign.fanpage_id), fanpage_id=campaign.fanpage_id)
    campaign.ask()
    assert campaign.count().total == Figures(asked=1)


def test_it_is_taken_apart_by_wording_entry_point_and_day(campaign):
    campaign.ask(title="A", entry_value="hoa", tapped=True)
    campaign.ask(title="B", entry_value="hoa", at=campaign.now - timedelta(days=1))
    campaign.ask(title="B", entry_kind="ref", entry_value="fb")
    assert [(p.key, p.figures.asked) for p in campaign.count(split=Split.WORDING).parts] == [
        (("B",), 2),
        (("A",), 1),
    ]
    assert [(p.key, p.figures.asked) for p in campaign.count(split=Split.ENTRY_POINT).parts] == [
        (("keyword", "hoa"), 2),
        (("ref", "fb"), 1),
    ]
    days = campaign.count(split=Split.DAY)
    assert [(p.key, p.figures.asked) for p in days.parts] == [(("2026-11-21",), 1), (("2026-11-22",), 2)]
    assert campaign.count(since="2026-11-22").total.asked == 2


def test_a_day_begins_at_midnight_of_the_fanpage(campaign):
    campaign.ask(at=datetime(2026, 11, 20, 23, 59, tzinfo=ZONE))
    campaign.ask(at=datetime(2026, 11, 21, 0, 0, tzinfo=ZONE))
    parts = campaign.count(split=Split.DAY).parts
    assert [p.key for p in parts] == [("2026-11-20",), ("2026-11-21",)]


def test_what_happens_later_belongs_to_the_day_of_the_request(campaign):
    request_id = campaign.ask(at=campaign.now - timedelta(days=40), tapped=True)
    assert campaign.count().total == Figures(1, 1, 1)
    campaign.notify(request_id, read=True)
    campaign.now += timedelta(minutes=1)
    (part,) = campaign.count(split=Split.DAY).parts
    assert (part.key, part.figures) == (("2026-10-13",), Figures(1, 1, 1, 1, 1))


def test_counting_again_changes_nothing(campaign, fresh_database):
    campaign.ask(tapped=True)
    campaign.count()
    before = fresh_database.rows("SELECT * FROM funnel_day")
    count_funnel(campaign.fanpage_id, ZONE, campaign.now, now=campaign.now + timedelta(minutes=1))
    assert fresh_database.rows("SELECT * FROM funnel_day") == before


def test_it_is_not_counted_again_before_its_time(campaign):
    campaign.ask()
    campaign.count()
    campaign.ask()
    assert campaign.count().total.asked == 1
    campaign.now += timedelta(seconds=30)
    assert campaign.count().total.asked == 2


def test_two_wordings_are_compared_by_those_who_were_asked_in_the_test(campaign):
    for number in range(60):
        variant = "ab"[number % 2]
        campaign.ask(title=variant.upper(), test="t", variant=variant, tapped=variant == "b")
    campaign.ask(title="A")
    campaign.count()
    (test,) = wording_tests(campaign.topic_id)
    assert (test.a.asked, test.a.tapped, test.b.asked, test.b.tapped) == (30, 0, 30, 30)
    assert test.verdict == Verdict.TOO_FEW
