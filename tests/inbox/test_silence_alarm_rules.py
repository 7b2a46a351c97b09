"""Silence is an alarm only when customers should have been heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.inbox.silence_alarm_rules import Hearing, Silence

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def ago(hours: float | None) -> datetime | None:
    return None if hours is None else NOW - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("heard", "asked", "broadcast", "expected"),
    [
        (None, None, None, Silence.NONE),  # a new fanpage
        (None, None, 1, Silence.NONE),
        (None, None, 4, Silence.UNANSWERED),
        (5, None, 4, Silence.UNANSWERED),
        (5, 4, None, Silence.UNANSWERED),
        (3.5, None, 4, Silence.NONE),  # something came after it
        (5, None, 2, Silence.NONE),  # it may still come
        (25, 30, None, Silence.QUIET),
        (25, 24 * 8, None, Silence.NONE),  # nobody was asked lately
        (23, 30, None, Silence.NONE),
        (24 * 40, 24 * 41, 24 * 41, Silence.NONE),
    ],
)
def test_silence(heard, asked, broadcast, expected) -> None:
    assert Hearing(ago(heard), ago(asked), ago(broadcast)).silence(NOW) == expected
