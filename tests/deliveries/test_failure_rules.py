"""A broadcast that fares badly is seen by its attempts, however many still wait."""

from __future__ import annotations

from core.deliveries.breaker import Recent, Refusal, noted
from core.deliveries.failure_rules import attempted, failing, recently_failing


def after(*reasons: str | None) -> Recent:
    return noted(
        Recent(), [reason and Refusal(0, reason, 1, n, n) for n, reason in enumerate(reasons, start=1)]
    )


def test_the_last_fifty_attempts_decide_and_not_the_audience() -> None:
    found = recently_failing(after(*[None] * 100, *["content"] * 40, *[None] * 10))
    assert found is not None
    assert (found.failed, found.attempts, found.share, found.reason) == (40, 50, 0.8, "content")


def test_a_few_failures_among_many_are_no_alarm() -> None:
    assert recently_failing(after(*["blocked"] * 4)) is None
    assert recently_failing(after(*[None] * 45, *["blocked"] * 5)) is None


def test_failures_that_fifty_good_attempts_followed_are_past() -> None:
    assert recently_failing(after(*["content"] * 19, *[None] * 50)) is None


def test_the_main_reason_is_the_most_frequent_one() -> None:
    found = recently_failing(after("blocked", *["content"] * 5, "blocked"))
    assert found is not None
    assert (found.reason, found.failed, found.attempts) == ("content", 7, 7)


def test_who_was_not_tried_is_no_part_of_the_share() -> None:
    counts = {"sent": 3, "failed": 61, "queued": 99_000, "skipped": 400, "cancelled": 9}
    assert attempted(counts) == 64
    found = failing(counts, {"content": 60, "blocked": 1})
    assert found is not None
    assert (found.failed, found.attempts, found.reason, found.is_recent) == (61, 64, "content", False)


def test_without_an_attempt_nothing_fails() -> None:
    assert failing({"queued": 5}, {}) is None
    assert recently_failing(Recent()) is None
