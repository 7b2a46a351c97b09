"""Counts calls per page, as the platform does for its limits and its usage headers."""

from __future__ import annotations

import json
from collections import defaultdict, deque

from core.simulator.behaviour import Behaviour
from core.simulator.entities import GraphError

DAY_SECONDS = 24 * 3600
_SLOT_SECONDS = 60  # the daily figure is kept per minute


class QuotaCounter:
    """The calls of each page, in the last seconds and in the last day."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._seconds: dict[str, deque[list[int]]] = defaultdict(deque)
        self._minutes: dict[str, deque[list[int]]] = defaultdict(deque)
        self._today: dict[str, int] = defaultdict(int)
        self.shown_usage: tuple[float, float] | None = None  # (percent, minutes to regain), set by a fault

    def take(self, page_id: str, at: float, people: int) -> None:
        """Count one call. Raises the platform's error when it is one too many."""
        limit = self._behaviour.calls_per_second * self._behaviour.calls_window_seconds
        recent = self._seconds[page_id]
        _trim(recent, int(at) - self._behaviour.calls_window_seconds)
        if limit and sum(count for _, count in recent) >= limit:
            raise GraphError(613, "(#613) Calls to this API have exceeded the rate limit.")
        if self.usage_percent(page_id, at, people) >= 100:
            raise GraphError(
                80006, "(#80006) There have been too many messenger api calls from this Page account."
            )
        _add(recent, int(at))
        _add(self._minutes[page_id], int(at) // _SLOT_SECONDS)
        self._today[page_id] += 1

    def usage_percent(self, page_id: str, at: float, people: int) -> float:
        if self.shown_usage:
            return self.shown_usage[0]
        if not self._behaviour.calls_per_person_and_day:
            return 0
        self._today[page_id] -= _trim(self._minutes[page_id], int(at - DAY_SECONDS) // _SLOT_SECONDS)
        allowance = self._behaviour.calls_per_person_and_day * max(people, 1)
        return 100 * self._today[page_id] / allowance

    def headers(self, people: dict[str, int], at: float) -> dict[str, str]:
        """The usage headers of a call for these pages, each with so many people. Like the real ones they
        appear only after enough calls."""
        percents = {page_id: int(self.usage_percent(page_id, at, people[page_id])) for page_id in people}
        shown = {page_id: [self._use(percent)] for page_id, percent in percents.items() if percent >= 1}
        if not shown:
            return {}
        fullest = max(percents.values())
        return {
            "X-App-Usage": json.dumps({**_share(fullest), "call_count": fullest // 2}),
            "X-Business-Use-Case-Usage": json.dumps(shown),
        }

    def _use(self, percent: int) -> dict[str, object]:
        regain = self.shown_usage[1] if self.shown_usage else (60 if percent >= 100 else 0)
        return {"type": "messenger", **_share(percent), "estimated_time_to_regain_access": regain}


def _share(percent: int) -> dict[str, int]:
    return {"call_count": percent, "total_cputime": percent // 4, "total_time": percent // 4}


def _add(slots: deque[list[int]], slot: int) -> None:
    if slots and slots[-1][0] == slot:
        slots[-1][1] += 1
    else:
        slots.append([slot, 1])


def _trim(slots: deque[list[int]], oldest: int) -> int:
    """Remove what is as old as `oldest`. Returns how many calls that were."""
    gone = 0
    while slots and slots[0][0] <= oldest:
        gone += slots.popleft()[1]
    return gone
