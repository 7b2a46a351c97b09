"""When events happened, whose windows they open, and in which order they apply."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.inbox import rules

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
A_MINUTE_AGO = NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (int(A_MINUTE_AGO.timestamp() * 1000), A_MINUTE_AGO),
        (None, NOW),
        (1, NOW),  # before there was a platform
        (int((NOW + timedelta(days=1)).timestamp() * 1000), NOW),  # a consent cannot lie ahead
        (10**30, NOW),
        (-5, NOW),
    ],
)
def test_an_event_happened_when_the_platform_says_unless_that_is_absurd(milliseconds, expected):
    assert rules.occurred_at(milliseconds, NOW) == expected


@given(st.none() | st.integers())
def test_no_event_happens_after_it_was_received(milliseconds):
    assert rules.EARLIEST <= rules.occurred_at(milliseconds, NOW) <= NOW


@pytest.mark.parametrize("kind", ["message", "postback", "reaction", "referral"])
def test_acts_of_the_customer_open_the_window_for_a_day(kind):
    assert rules.window_closes_at(kind, NOW) == NOW + timedelta(hours=24)


@pytest.mark.parametrize("kind", ["opt_in", "read", "delivery", "echo", "standby", "unknown"])
def test_other_events_open_no_window(kind):
    assert rules.window_closes_at(kind, NOW) is None


def test_taking_back_a_reaction_opens_no_window():
    assert rules.window_closes_at("reaction", NOW, taken_back=True) is None


TOPICS = {7: "KH nhận khuyến mãi SP mới", 12: "Đặt bàn"}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("topic:7", 7),
        ("topic:8", None),
        ("topic:", None),
        ("topic:" + "9" * 40, None),
        ("đặt bàn", 12),
        ("DAT BAN", 12),
        ("otn.from-another-tool", None),
        ("", None),
        ("!!!", None),
    ],
)
def test_a_payload_that_is_not_ours_may_name_a_topic(payload, expected):
    assert rules.find_topic(payload, TOPICS) == expected


@pytest.mark.parametrize(
    ("events", "took_seconds", "expected"),
    [(300, 0.5, 150), (300, 0.01, 300), (80, 0.5, 50), (50, 0.5, 50), (50, 0.01, 100), (200, 0.01, 300)],
)
def test_a_turn_is_as_large_as_it_is_quick(events, took_seconds, expected):
    assert rules.next_batch_size(events, took_seconds) == expected


@given(st.lists(st.tuples(st.integers(), st.sampled_from("abc"), st.booleans())))
def test_runs_keep_every_event_once_and_each_persons_order(items):
    numbered = [((place, *item), item[1], item[2]) for place, item in enumerate(items)]

    runs = list(rules.split_into_runs(numbered))

    applied = [entry for run in runs for entry in run]
    assert sorted(applied) == [entry for entry, _, _ in numbered]
    for person in "abc":
        places = [entry[0] for entry in applied if entry[2] == person]
        assert places == sorted(places)
    assert all(len(run) == 1 or all(entry[3] for entry in run) for run in runs)
