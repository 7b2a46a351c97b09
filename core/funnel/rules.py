"""What a test of two wordings shows, and how sure that is (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

SURE = 1.96  # standard deviations that hold 95 of 100 cases
ENOUGH = 50  # people asked with each wording before anything is said about them
POWER = 0.84  # of a normal distribution: 80 of 100 tests of that size find the difference


class Split(StrEnum):
    """By what a funnel is taken apart."""

    NOTHING = ""
    WORDING = "wording"
    ENTRY_POINT = "entry"
    DAY = "day"


@dataclass(frozen=True)
class Half:
    """The customers who were asked with one of two wordings, each counted once, by their first request."""

    title: str
    asked: int
    tapped: int
    since: str = ""  # day

    @property
    def share(self) -> float:
        return self.tapped / self.asked if self.asked else 0.0


class Verdict(StrEnum):
    """What may be said of two wordings."""

    TOO_FEW = "too_few"
    OPEN = "open"  # either may be better
    A_BETTER = "a"
    B_BETTER = "b"


@dataclass(frozen=True)
class WordingTest:
    """Two wordings of one request, given to customers by halves at the same time."""

    a: Half
    b: Half

    @property
    def verdict(self) -> Verdict:
        if min(self.a.asked, self.b.asked) < ENOUGH:
            return Verdict.TOO_FEW
        low, high = self.difference
        return Verdict.B_BETTER if low > 0 else Verdict.A_BETTER if high < 0 else Verdict.OPEN

    @property
    def difference(self) -> tuple[float, float]:
        """Between which bounds the true difference of the shares (B less A) lies in 95 of 100 such tests:
        Newcombe's interval out of two of Wilson's, which holds for small numbers and shares near 0 and 1."""
        low_a, high_a = _wilson(self.a)
        low_b, high_b = _wilson(self.b)
        a, b = self.a.share, self.b.share
        return (
            b - a - math.hypot(b - low_b, high_a - a),
            b - a + math.hypot(high_b - b, a - low_a),
        )

    @property
    def still_needed(self) -> int:
        """How many more people each wording has to be asked with, until a difference as large as the one
        seen so far would most probably show. 0: enough, or no difference is seen at all."""
        a, b = self.a.share, self.b.share
        if a == b:
            return 0
        spread = a * (1 - a) + b * (1 - b)
        wanted = math.ceil((SURE + POWER) ** 2 * spread / (b - a) ** 2)
        return max(0, max(wanted, ENOUGH) - min(self.a.asked, self.b.asked))


def _wilson(half: Half) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    if not half.asked:
        return 0.0, 1.0
    squared = SURE**2
    middle = (half.tapped + squared / 2) / (half.asked + squared)
    spread = (
        SURE
        * math.sqrt(half.tapped * (half.asked - half.tapped) / half.asked + squared / 4)
        / (half.asked + squared)
    )
    return max(0.0, middle - spread), min(1.0, middle + spread)
