"""What a test of two wordings shows, and how sure that is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.funnel.rules import Half, Verdict, WordingTest

HALVES = st.integers(1, 5000).flatmap(lambda n: st.builds(Half, st.just("x"), st.just(n), st.integers(0, n)))


def wording_test(a: tuple[int, int], b: tuple[int, int]) -> WordingTest:
    return WordingTest(Half("A", *a), Half("B", *b))


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ((49, 0), (500, 400), Verdict.TOO_FEW),
        ((500, 100), (500, 104), Verdict.OPEN),
        ((500, 100), (500, 160), Verdict.B_BETTER),
        ((500, 160), (500, 100), Verdict.A_BETTER),
        ((60, 60), (60, 60), Verdict.OPEN),
    ],
)
def test_what_may_be_said(a, b, verdict):
    assert wording_test(a, b).verdict == verdict


def test_the_interval_is_the_published_one():
    """Newcombe 1998, table II, example (a): 56/70 against 48/80."""
    low, high = wording_test((80, 48), (70, 56)).difference
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


@given(HALVES, HALVES)
def test_the_seen_difference_lies_in_the_interval_and_turns_with_the_halves(a, b):
    low, high = WordingTest(a, b).difference
    assert -1 <= low <= b.share - a.share + 1e-9
    assert b.share - a.share - 1e-9 <= high <= 1
    turned = WordingTest(b, a).difference
    assert turned == pytest.approx((-high, -low))


def test_equal_wordings_are_told_apart_by_chance_only():
    """A difference is claimed in about five of a hundred tests of the same wording twice."""
    chance = random.Random(4)
    claimed = 0
    for _ in range(400):
        a, b = (sum(chance.random() < 0.3 for _ in range(200)) for _ in range(2))
        claimed += wording_test((200, a), (200, b)).verdict in (Verdict.A_BETTER, Verdict.B_BETTER)
    assert claimed < 36


def test_how_many_more_are_needed():
    assert wording_test((100, 30), (100, 30)).still_needed == 0
    assert 1000 < wording_test((100, 30), (100, 35)).still_needed < 1400
    assert wording_test((5000, 1500), (5000, 1750)).still_needed == 0
