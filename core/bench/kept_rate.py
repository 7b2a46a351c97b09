"""Measures how close a fanpage was kept to its rate, by when its messages arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.bench import time_windows
from core.bench.receiver import Arrived

ALLOWED_SHARE = 0.02  # of the rate, too few or too many


@dataclass(frozen=True)
class KeptRate:
    """The arrivals of one fanpage between two times of the receiver's clock."""

    number: int
    rate: int
    arrived: Arrived  # may go beyond those times
    began: float
    ended: float

    def figures(self) -> dict[str, Any]:
        fewest, most = self._within(10.0)
        return {
            "fanpage": self.number,
            "messages_per_second": round(self.messages_per_second, 3),
            "slowest_10_s": fewest / 10,
            "fastest_10_s": most / 10,
            "keeps_10_s": self.keeps_10_s,
            "keeps_60_s": self.keeps_60_s,
        }

    @property
    def messages_per_second(self) -> float:
        return sum(count for _, count in self._looked_at()) / (self.ended - self.began)

    @property
    def keeps_10_s(self) -> bool:
        """Whether every ten seconds hold what the rate says, within 2 % or one message: a window holds one
        more or less depending on where it begins."""
        return self._is_off_by_at_most(max(1.0, ALLOWED_SHARE * self.rate * 10), 10.0)

    @property
    def keeps_60_s(self) -> bool | None:
        """Whether every minute is within 2 % of the rate; None when less than a minute was measured."""
        if self.ended - self.began < 60:
            return None
        return self._is_off_by_at_most(ALLOWED_SHARE * self.rate * 60, 60.0)

    @property
    def fullest_1_s(self) -> int:
        return self._within(1.0)[1]

    def _is_off_by_at_most(self, allowed: float, seconds: float) -> bool:
        fewest, most = self._within(seconds)
        due = self.rate * seconds
        return max(due - fewest, most - due) <= allowed + 1e-9

    def _within(self, seconds: float) -> tuple[int, int]:
        return time_windows.fewest_and_most(self._looked_at(), seconds, began=self.began, ended=self.ended)

    def _looked_at(self) -> Arrived:
        return sorted(each for each in self.arrived if self.began <= each[0] <= self.ended)
