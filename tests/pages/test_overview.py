"""The overview: what goes out, the last thirty days, the last result beside earlier ones, and alarms."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from core.broadcasts.calendar_queries import sent_by_day
from core.clock import utc_now
from core.consent.counting import count_fanpage
from core.consent.rules import expires_at
from core.db.engine import transaction
from core.db.tables import Broadcast, BroadcastResult, Event, Fanpage, FunnelDay, Heartbeat
from tests.pages.shown import all_words, html

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def sent(arrange, topic_id: int, *, days_ago: float, read: int, name: str = "Tết", of: int = 100) -> int:
    at = utc_now() - timedelta(days=days_ago)
    row = Broadcast(
        fanpage_id=1,
        topic_id=topic_id,
        name=name,
        content={"kind": "text", "text": "x"},
        state="finished",
        started_at=at,
        finished_at=at,
        created_at=at,
        updated_at=at,
    )
    broadcast_id = arrange.save(row)
    with transaction() as db:
        hours = {at.strftime("%Y-%m-%dT%H"): {"sent": of}}
        people = {"sent": of, "read": read}
        db.add(BroadcastResult(broadcast_id=broadcast_id, counted_at=utc_now(), people=people, hours=hours))
    return broadcast_id


def test_thirty_days_stand_in_a_table_as_well(panel, arrange, topic_id) -> None:
    sent(arrange, topic_id, days_ago=2, read=50)
    lapsed = utc_now() - timedelta(days=3)
    life = expires_at(lapsed) - lapsed
    arrange.opt_in(
        topic_id,
        arrange.customer(1),
        fanpage_id=1,
        state="expired",
        consented_at=lapsed - life,
        expires_at=lapsed,
    )
    count_fanpage(1, ZONE, now=utc_now())
    at = panel("overview", role="viewer")
    assert not at.exception
    assert "Do more customers opt in than are notified or expire?" in all_words(at)
    table = html(at)
    assert all(word in table for word in ("Agreed", "Expired unused", ">100<", ">3<", ">1<"))


def test_days_of_what_was_sent_are_those_of_the_fanpage(arrange, topic_id) -> None:
    broadcast_id = sent(arrange, topic_id, days_ago=1, read=0)
    with transaction() as db:
        row = db.get(BroadcastResult, broadcast_id)
        row.hours = {"2026-11-20T16": {"sent": 4}, "2026-11-20T17": {"sent": 5, "read": 9}}
    found = sent_by_day(1, ZONE, since=utc_now() - timedelta(days=30))
    assert found == {"2026-11-20": 4, "2026-11-21": 5}


def test_the_last_result_is_told_beside_the_ones_before(panel, arrange, topic_id) -> None:
    sent(arrange, topic_id, days_ago=9, read=40, name="Hè")
    sent(arrange, topic_id, days_ago=5, read=60, of=300, name="Thu")
    sent(arrange, topic_id, days_ago=1, read=50, name="Đông")
    at = panel("overview", role="viewer")
    assert "How did the last broadcast do compared with earlier ones?" in all_words(at)
    card = next(metric for metric in at.metric if metric.label == "Read")
    assert (card.value, card.delta) == ("50%", "+25 points")


def test_the_best_entry_points_are_named(panel, arrange, topic_id) -> None:
    day = utc_now().astimezone(ZONE).date().isoformat()
    for value, tapped in (("hoa-tet", 7), ("he", 2)):
        arrange.save(
            FunnelDay(
                fanpage_id=1,
                topic_id=topic_id,
                day=day,
                title="Báo tôi",
                entry_kind="ref",
                entry_value=value,
                asked=10,
                tapped=tapped,
            )
        )
    seen = html(panel("overview", role="viewer"))
    assert seen.index("hoa-tet") < seen.index("70%") < seen.index(">2<")


def test_silence_after_a_broadcast_is_an_alarm(panel, arrange, topic_id) -> None:
    sent(arrange, topic_id, days_ago=0.3, read=0)
    seen = all_words(panel("overview", role="viewer"))
    assert "no webhook has ever arrived" in seen
    assert "Nothing is being sent: the worker is not running" in seen
    now = utc_now()
    with transaction() as db:
        db.add(
            Event(
                page_id=db.get_one(Fanpage, 1).page_id,
                kind="message",
                dedupe_key="k",
                occurred_at=now,
                received_at=now - timedelta(minutes=1),
                body="{}",
            )
        )
        db.add(Heartbeat(process="worker here:1", at=now, started_at=now))
    seen = all_words(panel("overview", role="editor"))
    assert "Last webhook" in seen
    assert "webhook has ever" not in seen
    assert "Nothing is being sent" not in seen
