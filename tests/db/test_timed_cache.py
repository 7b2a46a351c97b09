"""What takes long to count is remembered for a while in proportion; what is quick never is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.db import timed_cache
from core.db.timed_cache import forget_remembered, remember


class Counter:
    """Counts how often it was asked; each time takes so many seconds of a clock of its own."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now, self.takes, self.asked = 100.0, 1.0, 0
        patch.setattr(timed_cache, "DEAR_SECONDS", 0.3)
        patch.setattr(timed_cache.time, "monotonic", lambda: self.now)

    def __call__(self) -> int:
        self.now += self.takes
        self.asked += 1
        return self.asked


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    forget_remembered()
    yield Counter(monkeypatch)
    forget_remembered()


def test_what_takes_a_second_is_counted_every_fifty_seconds(counter: Counter) -> None:
    assert [remember(("a",), counter) for _ in range(3)] == [1, 1, 1]
    counter.now += 49
    assert remember(("a",), counter) == 1
    counter.now += 2
    assert remember(("a",), counter) == 2


def test_what_is_quick_is_counted_each_time(counter: Counter) -> None:
    counter.takes = 0.1
    assert [remember(("a",), counter) for _ in range(3)] == [1, 2, 3]


def test_keys_are_kept_apart(counter: Counter) -> None:
    assert remember(("a",), counter) != remember(("b",), counter)


def test_the_oldest_goes_when_there_are_too_many(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_cache, "MOST", 2)
    assert [remember((key,), counter) for key in "abcc"] == [1, 2, 3, 3]
    assert remember(("b",), counter) == 2
    assert remember(("a",), counter) == 4


def test_nothing_is_remembered_for_longer_than_five_minutes(counter: Counter) -> None:
    counter.takes = 60.0
    remember(("a",), counter)
    counter.now += timed_cache.LONGEST_SECONDS + 1
    assert remember(("a",), counter) == 2
