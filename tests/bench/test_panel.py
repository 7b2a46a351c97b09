"""The shop that `bench panel` fills a database with, and how it sums up clicks."""

from __future__ import annotations

from core.bench.panel_browser import sum_up
from core.bench.panel_fixtures import Size, create_shop
from core.broadcasts.queries import get_broadcast
from core.clock import utc_now
from core.consent.queries import list_topics
from tests.databases import TestDatabase


def test_the_shop_holds_what_was_asked_for_and_its_broadcasts_balance(fresh_database: TestDatabase) -> None:
    shop = create_shop(Size(people=400, broadcasts=3, recipients=150))
    topics = list_topics(shop.fanpage_id, now=utc_now())
    assert sum(topic.available + topic.expired for topic in topics) == 400
    assert sum(topic.spent for topic in topics) == 450
    for broadcast_id in shop.broadcast_ids:
        view = get_broadcast(broadcast_id)
        assert (view.audience, view.balances, view.counts["sent"] > 140) == (150, True, True)


def test_of_twenty_clicks_the_95th_percentile_is_the_last_but_one() -> None:
    row = sum_up("overview", [0.1] * 18 + [0.3, 0.9])
    assert (row["clicks"], row["median"], row["p95"], row["slowest"]) == (20, 0.1, 0.3, 0.9)
