"""The opt-in planner: what ends when, what scheduled broadcasts take, who holds several."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.clock import utc_now
from core.consent.counting import count_fanpage
from tests.pages.broadcasts import a_draft
from tests.pages.shown import all_words, html, keys

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def counted() -> None:
    count_fanpage(1, ZONE, now=utc_now())


def test_use_or_lose_at_7_30_and_60_days(panel, arrange, topic_id) -> None:
    for days in (5, 20, 50):
        ends = utc_now() + timedelta(days=days)
        arrange.opt_in(topic_id, arrange.customer(1), fanpage_id=1, expires_at=ends)
    counted()
    at = panel("planner", role="viewer")
    assert not at.exception
    assert [card.value for card in at.metric] == ["6", "1", "2", "3"]
    assert "How many opt-ins end in each month?" in all_words(at)
    assert "new_broadcast?topic" not in html(at)
    assert f"new_broadcast?topic={topic_id}" in html(panel("planner", role="editor"))


def test_a_second_broadcast_on_a_topic_takes_what_the_first_leaves(panel, arrange, topic_id) -> None:
    arrange.opt_in(topic_id, 1, fanpage_id=1)  # the first customer holds two
    for days in (1, 2):
        start = utc_now() + timedelta(days=days)
        actions.schedule(COMMAND_LINE, a_draft(topic_id), at=start, now=utc_now())
    counted()
    rows = html(panel("planner", role="viewer")).split("<tr")
    taken = [row for row in rows if "Flash sale" in row]
    assert [(">3<" in row, ">1<" in row) for row in taken] == [(True, False), (False, True)]


def test_who_holds_several_is_listed(panel, arrange, topic_id) -> None:
    arrange.opt_in(topic_id, 2, fanpage_id=1)
    counted()
    assert f"planner?topic={topic_id}" in html(panel("planner", role="viewer"))
    seen = html(panel("planner", role="sender", topic=topic_id))
    assert "Mai" in seen
    assert "customer?id=2" in seen
    assert "customer?id=1" not in seen


def test_without_opt_ins_it_leads_to_a_request(panel, arrange, fanpage) -> None:
    assert "Still counting" in all_words(panel("planner", role="viewer"))
    counted()
    assert "planner_start" in keys(panel("planner", role="editor").button)
