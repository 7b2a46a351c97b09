"""How many messages lie in windows of some seconds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


def from_each_arrival(arrived: Sequence[tuple[float, int]], seconds: float) -> list[int]:
    """Messages in each whole window that begins with an arrival."""
    times, sums = _times_and_sums(arrived)
    return [
        sums[bisect_left(times, at + seconds)] - sums[place]
        for place, at in enumerate(times)
        if at + seconds <= times[-1]
    ]


def fewest_and_most(
    arrived: Sequence[tuple[float, int]], seconds: float, *, began: float, ended: float
) -> tuple[int, int]:
    """Of all windows between the two times, wherever they begin: the emptiest begins just after an arrival,
    the fullest with one, or either with the time itself."""
    times, sums = _times_and_sums(arrived)
    first = sums[bisect_left(times, began + seconds)]
    spans = [
        (place, bisect_left(times, at + seconds)) for place, at in enumerate(times) if at + seconds <= ended
    ]
    fewest = min((sums[upto] - sums[place + 1] for place, upto in spans), default=first)
    most = max((sums[upto] - sums[place] for place, upto in spans), default=first)
    return min(first, fewest), max(first, most)


def _times_and_sums(arrived: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    return [at for at, _ in arrived], [0, *accumulate(count for _, count in arrived)]
