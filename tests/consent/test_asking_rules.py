"""The re-ask governor: when a customer may be asked, over any history of requests and taps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consent.asking_rules import (
    ASKED_JUST_NOW,
    PastRequest,
    Wish,
    Withheld,
    remembered_since,
    why_withheld,
)
from core.consent.contact_limits import MOST, USUAL, ContactLimits, check_limits, limits_of
from core.db.tables import Fanpage

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ROSES = Wish(1, "Báo tôi khi có hoa hồng")


def asked(ago: timedelta, *, topic_id: int = 1, tapped: timedelta | None = None) -> PastRequest:
    return PastRequest(topic_id, "Lời mời", NOW - ago, None if tapped is None else NOW - tapped)


def answer(*past: PastRequest, holds: bool = False, **limits: object) -> Withheld | None:
    return why_withheld(ROSES, past, replace(USUAL, **limits), NOW, holds=holds)


def test_whoever_was_never_asked_is_asked():
    assert answer() is None


def test_whoever_holds_an_unspent_opt_in_is_not_asked_unless_the_fanpage_wants_it():
    assert answer(holds=True) == Withheld.HOLDS
    assert answer(holds=True, asks_holders=True) is None


@pytest.mark.parametrize(
    ("ago", "days", "reason"),
    [
        (timedelta(days=6, hours=23), 7, Withheld.COOL_DOWN),
        (timedelta(days=7), 7, None),
        (timedelta(days=2), 1, None),
        (timedelta(hours=1), 0, None),
    ],
)
def test_an_unanswered_request_is_followed_by_a_cool_down(ago: timedelta, days: int, reason: object):
    assert answer(asked(ago), ask_cool_down_days=days) == reason


def test_the_cool_down_of_one_topic_says_nothing_of_another():
    assert answer(asked(timedelta(days=2), topic_id=2)) is None


def test_a_request_that_was_answered_needs_no_cool_down():
    assert answer(asked(timedelta(days=3), tapped=timedelta(days=2))) is None


def test_a_tap_on_an_older_request_answers_the_later_one_too():
    older = asked(timedelta(days=5), tapped=timedelta(days=1))
    assert answer(older, asked(timedelta(days=3))) is None
    assert answer(replace(older, tapped_at=NOW - timedelta(days=4)), asked(timedelta(days=3))) is not None


def test_two_requests_are_enough_for_a_day_whatever_their_topics():
    past = [asked(timedelta(hours=h), topic_id=h, tapped=timedelta(minutes=5)) for h in (22, 23)]
    assert answer(*past) == Withheld.DAY
    assert answer(*past, asks_a_day=3) is None
    assert answer(*past, asks_a_day=0) is None
    assert answer(past[0], asked(timedelta(hours=24), topic_id=3)) is None


def test_the_same_request_twice_in_a_minute_is_one_whatever_the_limits():
    same = PastRequest(ROSES.topic_id, ROSES.title, NOW - ASKED_JUST_NOW + timedelta(seconds=1), None)
    assert answer(same, ask_cool_down_days=0, asks_a_day=0, asks_holders=True) == Withheld.JUST_NOW


def test_a_new_fanpage_has_the_usual_limits():
    assert limits_of(Fanpage(rate=25)) == USUAL


def test_only_numbers_that_make_sense_are_taken():
    assert check_limits(USUAL) == []
    assert [each.field for each in check_limits(replace(USUAL, asks_a_day=-1, silent_hours=10**6))] == [
        "asks_a_day",
        "silent_hours",
    ]
    assert set(MOST) | {"asks_holders"} == set(vars(USUAL))


LIMITS = st.builds(
    ContactLimits,
    ask_cool_down_days=st.integers(0, 10),
    asks_a_day=st.integers(0, 4),
    asks_holders=st.booleans(),
)
# What happens to one customer: (topic, minutes since the last thing, "ask", "tap" or "spend")
HAPPENINGS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 4000), st.sampled_from(["ask", "tap", "spend"])), max_size=60
)


@given(LIMITS, HAPPENINGS)
def test_in_no_history_is_a_limit_broken(limits: ContactLimits, happenings: list[tuple[int, int, str]]):
    """Plays a life with one customer and looks back at the requests that were made."""
    now, requests, held = NOW, list[PastRequest](), set[int]()
    for topic, minutes, what in happenings:
        now += timedelta(minutes=minutes)
        if what == "spend":
            held.discard(topic)
        elif what == "tap" and (mine := [each for each in requests if each.topic_id == topic]):
            place = requests.index(mine[-1])
            requests[place] = replace(mine[-1], tapped_at=mine[-1].tapped_at or now)
            held.add(topic)
        elif what == "ask":
            since = remembered_since(limits, now)
            known = [each for each in requests if max(each.asked_at, each.tapped_at or NOW) > since]
            if why_withheld(Wish(topic, "x"), known, limits, now, holds=topic in held) is None:
                assert limits.asks_holders or topic not in held
                requests.append(PastRequest(topic, "x", now, None))
    for first in requests:
        day = [each for each in requests if timedelta() <= each.asked_at - first.asked_at < timedelta(days=1)]
        assert not limits.asks_a_day or len(day) <= limits.asks_a_day
        later = [each.asked_at for each in requests if each.topic_id == first.topic_id]
        following = min((at for at in later if at > first.asked_at), default=None)
        if following and (first.tapped_at is None or first.tapped_at > following):
            assert following - first.asked_at >= timedelta(days=limits.ask_cool_down_days)


@given(HAPPENINGS, LIMITS)
def test_more_requests_in_the_past_never_allow_one(
    happenings: list[tuple[int, int, str]], limits: ContactLimits
):
    """Unanswered requests only ever take away a permission."""
    past = [PastRequest(topic, "x", NOW - timedelta(minutes=ago), None) for topic, ago, _ in happenings]
    wish = Wish(1, "x")
    refused = False
    for count in range(len(past) + 1):
        now_refused = why_withheld(wish, past[:count], limits, NOW, holds=False) is not None
        assert now_refused or not refused
        refused = now_refused
