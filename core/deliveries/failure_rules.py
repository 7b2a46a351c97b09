"""When a broadcast fares badly, and for which reason (pure).

A share of failures is one of attempts: who is still waiting has not failed, and makes no broadcast look well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.deliveries.breaker import WINDOW, Recent
from core.deliveries.rules import DeliveryState

FEWEST = 5  # failures before anything is said
BAD = 0.2  # share of the attempts
ATTEMPTED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN)


@dataclass(frozen=True)
class Failing:
    """So many of these attempts failed, most of them for this reason."""

    failed: int
    attempts: int
    reason: str
    is_recent: bool  # of the last attempts; otherwise of all

    @property
    def share(self) -> float:
        return self.failed / self.attempts


def is_bad(failed: int, attempts: int) -> bool:
    """Whether so many failures of so many attempts have to be looked at."""
    return failed >= FEWEST and failed >= BAD * attempts


def attempted(counts: Mapping[str, int]) -> int:
    """Of deliveries by state: how many ended with an attempt. The others were never tried."""
    return sum(counts.get(state, 0) for state in ATTEMPTED)


def recently_failing(recent: Recent) -> Failing | None:
    """Whether the last fifty attempts fare badly."""
    last = [each.reason for each in recent.refusals if each.number > recent.outcomes - WINDOW]
    return _failing(Counter(last), min(recent.outcomes, WINDOW), is_recent=True)


def failing(counts: Mapping[str, int], reasons: Mapping[str, int]) -> Failing | None:
    """Whether all attempts together fared badly; `reasons` are those of the failed."""
    found = _failing(reasons, attempted(counts), is_recent=False)
    return found if found and is_bad(counts.get(DeliveryState.FAILED, 0), found.attempts) else None


def _failing(reasons: Mapping[str, int], attempts: int, *, is_recent: bool) -> Failing | None:
    failed = sum(reasons.values())
    if not is_bad(failed, attempts):
        return None
    return Failing(failed, attempts, max(reasons, key=lambda each: reasons[each]), is_recent)
