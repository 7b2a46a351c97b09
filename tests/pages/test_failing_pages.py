"""A broadcast that fails looks like one: on its page, in the list and on the overview."""

from __future__ import annotations

from datetime import timedelta

from core.broadcasts.result_counting import count_result
from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Delivery, Fanpage, Heartbeat
from core.deliveries import recent_outcomes
from core.deliveries.breaker import Refusal
from core.deliveries.recent_outcomes import Scope
from tests.pages.broadcasts import put, settle, started
from tests.pages.shown import all_words


def of(arrange, topic_id: int, *, failed: int, waiting: int) -> int:
    """A broadcast of which so many failed at once and three wait."""
    broadcast_id = started(topic_id)
    put(broadcast_id, audience=3 + failed + waiting)
    for _n in range(failed + waiting):
        state = {"state": "failed", "reason": "content"} if _n < failed else {"state": "queued"}
        arrange.save(Delivery(broadcast_id=broadcast_id, customer_id=arrange.customer(1), **state))
    ended = [Refusal(0, "content", broadcast_id, 0, 0)] * failed
    with transaction() as db:
        recent_outcomes.note(db, {(Scope.BROADCAST, broadcast_id): ended})
    return broadcast_id


def test_the_band_names_rate_reason_and_what_to_do(panel, arrange, topic_id) -> None:
    broadcast_id = of(arrange, topic_id, failed=8, waiting=20)
    for page, query in (("broadcast", {"id": broadcast_id}), ("overview", {})):
        at = panel(page, role="viewer", **query)
        band = next(each.value for each in at.error if "attempts failed" in each.value)
        assert "**8 of the last 8 attempts failed (100%).** Main reason: Message refused." in band
        assert "correct its text, link or image" in band
        assert "pause it until you know more" in band


def test_shares_are_of_attempts(panel, arrange, topic_id) -> None:
    broadcast_id = of(arrange, topic_id, failed=8, waiting=89)
    seen = all_words(panel("broadcast", role="viewer", id=broadcast_id))
    assert "Share of attempts" in seen
    assert "100%" in seen
    assert "100% of attempts" in all_words(panel("broadcasts", role="viewer"))


def test_one_that_pauses_itself_is_told_on_the_overview(panel, arrange, topic_id) -> None:
    broadcast_id = of(arrange, topic_id, failed=6, waiting=2)
    put(broadcast_id, state="paused", pause_code="alike:content")
    seen = all_words(panel("overview", role="viewer"))
    assert "paused automatically" in seen
    assert "pause it until" not in seen
    at = panel("broadcast", role="viewer", id=broadcast_id)
    (band,) = [each.value for each in at.error]
    assert band.startswith("**6 of the last 6 attempts failed (100%).**")
    assert "Paused automatically" in band


def test_one_that_ended_badly_is_not_green(panel, arrange, topic_id) -> None:
    broadcast_id = of(arrange, topic_id, failed=6, waiting=0)
    settle(broadcast_id, *[("sent", None)] * 3, *[("failed", "content")] * 6)
    put(broadcast_id, state="finished", finished_at=utc_now())
    count_result(broadcast_id, now=utc_now())
    seen = all_words(panel("broadcast", role="viewer", id=broadcast_id))
    assert "red-badge" in seen
    assert "**6 of 9 attempts failed (67%).**" in seen
    assert "33% of attempts succeeded" in seen
    assert "Finished, many failed" in all_words(panel("broadcasts", role="editor"))
    assert "**6 of 9 attempts failed (67%).**" in all_words(panel("overview", role="viewer"))
    put(broadcast_id, finished_at=utc_now() - timedelta(days=4))
    assert "attempts failed" not in all_words(panel("overview", role="editor"))


def test_a_fanpage_is_green_only_by_a_check_that_is_still_true(panel, arrange) -> None:
    now = utc_now()
    fanpage_id = arrange.fanpage(checked_at=now)
    assert "Worker not running" in all_words(panel("health", role="viewer"))
    with transaction() as db:
        db.add(Heartbeat(process="worker here:1", at=now, started_at=now))
    assert "Webhook server not running" in all_words(panel("health", role="admin"))
    with transaction() as db:
        db.add(Heartbeat(process="webhook here:2", at=now, started_at=now))
    assert "Working" in all_words(panel("health", role="editor"))
    with transaction() as db:
        db.get(Fanpage, fanpage_id).checked_at = now - timedelta(hours=2)
    assert "Not checked recently" in all_words(panel("health", role="sender"))
