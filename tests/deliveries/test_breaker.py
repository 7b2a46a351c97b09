"""When refusals are so alike that they are not about the people: pure."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deliveries.breaker import (
    MOST,
    RUN,
    SMALL_RUN,
    WINDOW,
    Recent,
    Refusal,
    noted,
    refused_alike,
    since_accepted,
    tripped_by,
)

MANY = 1000  # left to serve


NOTHING = Recent()


def seen(*reasons: str | None, among: Recent = NOTHING) -> Recent:
    first = among.outcomes
    ended = [each and Refusal(0, each, 1, first + place, first + place) for place, each in enumerate(reasons)]
    return noted(among, ended)


def trips(reasons: list[str | None], left: int = MANY) -> str | None:
    return tripped_by(seen(*reasons), left=left)


@pytest.mark.parametrize(
    ("reasons", "left", "trips_by"),
    [
        (["blocked"] * 20, MANY, "blocked"),
        (["blocked"] * 19, MANY, None),
        ([None] * 20 + ["blocked"] * 20, MANY, "blocked"),
        ([None] * 3 + ["token_refused"] * 61, MANY, "token_refused"),
        (["blocked"] * 19 + [None] + ["blocked"] * 19, MANY, None),
        ((["unknown_error"] * 9 + [None]) * 5, MANY, "unknown_error"),
        ((["gone"] * 4 + [None]) * 10, MANY, "gone"),
        ((["gone"] * 3 + [None]) * 50, MANY, None),
        (["blocked", "gone"] * 40, MANY, "gone"),  # both say that the person cannot be reached
        (["content", "gone"] * 40, MANY, None),
        (["blocked"] * 20 + [None] * 200, MANY, "blocked"),  # settled together, and even so a run
        (["content"] * 5, 0, "content"),
        (["content"] * 5, 44, "content"),
        (["content"] * 5, 45, None),
        (["content"] * 4, 0, None),
        ([None] + ["content"] * 5, 0, None),
        (["content"] * 4 + ["gone"], 0, None),
        ([None] * 500, 0, None),
        ([], 0, None),
    ],
)
def test_it_trips_for_a_run_for_most_of_a_window_and_for_all_of_a_few(reasons, left, trips_by):
    assert trips(reasons, left) == trips_by


def test_once_tripped_each_further_refusal_alike_trips_again_and_an_acceptance_ends_it():
    recent = seen("blocked", among=seen(*["blocked"] * 20))
    assert tripped_by(recent) == "blocked"
    assert len(refused_alike(recent, "blocked")) == 21
    recent = seen(None, "blocked", among=recent)
    assert tripped_by(recent) is None


def test_refusals_that_no_acceptance_followed_prove_nothing_once_the_fanpage_is_stopped():
    recent = seen("gone", None, "blocked", "gone")
    assert [each.number for each in since_accepted(recent)] == [3, 4]
    assert since_accepted(seen("gone", None)) == []
    assert since_accepted(Recent()) == []


REASONS = st.lists(st.sampled_from([None, "blocked", "gone"]), max_size=200)


@given(REASONS, st.lists(st.integers(1, 40), max_size=30))
def test_how_outcomes_are_settled_together_does_not_matter(reasons, sizes):
    """Whatever the parts, it trips in the one that ends its first run."""
    whole = trips(reasons)
    recent, found, rest = Recent(), None, list(reasons)
    for size in [*sizes, len(rest)]:
        recent = seen(*rest[:size], among=recent)
        rest = rest[size:]
        found = found or tripped_by(recent, left=MANY)
    assert found == whole


@given(REASONS)
def test_no_reason_goes_on_for_longer_than_the_breaker_allows(reasons):
    """Until it trips, of any fifty outcomes in a row fewer than forty were alike, of twenty not all."""
    recent, passed = Recent(), []
    for each in reasons:
        recent = seen(each, among=recent)
        if tripped_by(recent, left=MANY):
            break
        passed.append(each)
    for end in range(len(passed) + 1):
        window = Counter(each for each in passed[max(0, end - WINDOW) : end] if each)
        assert max(window.values(), default=0) < MOST
        last = passed[max(0, end - RUN) : end]
        assert len(last) < RUN or len(set(last)) > 1 or last[0] is None


@given(REASONS)
def test_what_is_kept_stays_small(reasons):
    recent = Recent()
    for each in reasons:
        recent = seen(each, among=recent)
    assert len(recent.refusals) <= WINDOW + 1
    assert SMALL_RUN <= RUN <= MOST <= WINDOW
