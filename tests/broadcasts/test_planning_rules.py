"""The first broadcast on a topic takes one opt-in of everybody; the next finds those who held two."""

from __future__ import annotations

from core.broadcasts.planning_rules import takes

HELD = {(1, 1): 100, (1, 2): 30, (1, 3): 4, (2, 1): 7}


def test_broadcasts_on_one_topic_share_its_stock() -> None:
    scheduled = [(11, 1), (12, 2), (13, 1), (14, 1), (15, 1), (16, 2)]
    found = takes(scheduled, lambda topic_id, least: HELD.get((topic_id, least), 0))
    assert found == {11: 100, 12: 7, 13: 30, 14: 4, 15: 0, 16: 0}


def test_nothing_scheduled_takes_nothing() -> None:
    assert takes([], lambda _topic_id, _least: 1) == {}
