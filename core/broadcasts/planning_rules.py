"""What scheduled broadcasts will take of the opt-ins in stock (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable


def takes(scheduled: Iterable[tuple[int, int]], holding: Callable[[int, int], int]) -> dict[int, int]:
    """By broadcast how many opt-ins it will take. `scheduled` is (broadcast, topic) in the order of the
    starts; `holding(topic, n)` how many people hold at least so many. The first broadcast on a topic takes
    one of everybody, the next finds only those who held two."""
    before: Counter[int] = Counter()
    found: dict[int, int] = {}
    for broadcast_id, topic_id in scheduled:
        before[topic_id] += 1
        found[broadcast_id] = holding(topic_id, before[topic_id])
    return found
