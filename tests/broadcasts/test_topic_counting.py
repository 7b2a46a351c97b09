"""Topics that take long to count are shown as the worker counted them last; all others as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from core.broadcasts import topic_counting
from core.broadcasts.dry_run_queries import list_audience, sample_audience
from core.broadcasts.topic_counting import SELDOM, count_topic, count_topics
from core.broadcasts.topic_queries import topic_progress
from core.broadcasts.topic_reach import TopicReach, count_reach, get_reach
from core.consent import topic_figures
from core.consent.audience_filters import AudienceFilters
from core.consent.opt_in_queries import OptInFilter, count_listed, count_opt_ins
from core.consent.queries import get_counted_topic, get_topic, list_counted_topics
from core.db.engine import transaction
from core.db.tables import Customer, OptIn, TopicCount
from tests.sending.conftest import Studio

HOUR = timedelta(hours=1)


@pytest.fixture
def counted(studio: Studio) -> Studio:
    """Seven people with an opt-in: one is in the window, one cannot be reached, one has used theirs."""
    studio.people(7)
    with transaction() as db:
        people = db.exec(select(Customer).order_by(col(Customer.id))).all()
        people[0].window_closes_at = studio.now + HOUR
        people[1].unreachable_at = people[1].unreachable_firm_at = studio.now
        people[1].unreachable_code = "blocked"
        used = db.exec(select(OptIn).order_by(col(OptIn.id).desc())).first()
        assert used is not None
        used.state = "spent"
    count_topic(studio.topic_id, now=studio.now)
    return studio


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every topic with an opt-in counts as large."""
    monkeypatch.setattr(topic_figures, "LARGE", 0)
    monkeypatch.setattr(topic_figures, "SMALL", 0)
    monkeypatch.setattr(topic_counting, "SMALL", 0)
    monkeypatch.setattr(topic_counting, "LARGE", 0)


def more(studio: Studio) -> None:
    for token in ("token-7", "token-8"):
        studio.opt_in(token)


def numbers(reach: TopicReach) -> TopicReach:
    return replace(reach, counted_at=reach.counted_at.replace(year=2000))


def test_what_is_kept_is_what_counting_finds(large: None, counted: Studio) -> None:
    topic_id, now = counted.topic_id, counted.now
    assert replace(get_counted_topic(topic_id, now=now), counted_at=None) == get_topic(topic_id, now=now)
    reach = get_reach(topic_id, now=now + HOUR)
    assert (reach.run.eligible, reach.run.in_window, reach.opt_ins, reach.counted_at) == (5, 1, 5, now)
    assert numbers(reach) == numbers(count_reach(topic_id, now=now))
    assert topic_progress(topic_id, now=now).need_asking == 1


def test_large_topics_are_shown_as_of_then_and_say_so(large: None, counted: Studio) -> None:
    more(counted)
    topic_id, later = counted.topic_id, counted.now + HOUR
    [topic] = list_counted_topics(counted.fanpage_id, now=later)
    assert (topic.available, topic.counted_at) == (6, counted.now)
    assert get_reach(topic_id, now=later).run.eligible == 5
    for chosen, shown in ((OptInFilter(), 7), (OptInFilter(topic_id=topic_id, state="spent"), 1)):
        assert count_listed(counted.fanpage_id, chosen, now=later) == shown
    searched = OptInFilter(search="nobody")
    assert count_listed(counted.fanpage_id, searched, now=later) == 0


def test_small_topics_are_shown_as_they_are_now(counted: Studio) -> None:
    more(counted)
    [topic] = list_counted_topics(counted.fanpage_id, now=counted.now)
    assert (topic.available, topic.counted_at) == (8, None)
    assert get_reach(counted.topic_id, now=counted.now).run.eligible == 7
    for chosen in (OptInFilter(), OptInFilter(topic_id=counted.topic_id)):
        listed = count_listed(counted.fanpage_id, chosen, now=counted.now)
        assert listed == count_opt_ins(counted.fanpage_id, chosen, now=counted.now) == 9


def test_filters_and_a_later_start_are_counted_for_themselves(large: None, counted: Studio) -> None:
    topic_id, now = counted.topic_id, counted.now
    nobody = get_reach(topic_id, AudienceFilters(languages=("xx",)), now=now)
    assert (nobody.run.eligible, nobody.opt_ins) == (0, 5)
    assert get_reach(topic_id, now=now, due_at=now + timedelta(days=500)).run.eligible == 0


def test_a_sample_is_of_those_who_would_get_it_each_once(counted: Studio) -> None:
    with transaction() as db:
        first = db.exec(select(OptIn).order_by(col(OptIn.id))).first()
        assert first is not None
        values = first.model_dump(exclude={"id"}) | {"token_hash": "another"}
        db.add(OptIn(**values))
    some = sample_audience(counted.topic_id, now=counted.now, limit=3)
    assert some == list_audience(counted.topic_id, "eligible", now=counted.now, limit=3)


def test_large_topics_are_counted_again_in_proportion_and_soon_after_a_start(
    large: None, counted: Studio
) -> None:
    topic_id, now = counted.topic_id, counted.now
    took(counted, 4.0)
    assert count_topics(now=now + timedelta(seconds=99)) == []
    assert count_topics(now=now + timedelta(seconds=101)) == [topic_id]
    took(counted, 4.0)
    counted.now += timedelta(seconds=110)
    counted.launch(counted.broadcast())
    assert count_topics(now=now + timedelta(seconds=115)) == []
    assert count_topics(now=now + timedelta(seconds=125)) == [topic_id]


def took(studio: Studio, seconds: float) -> None:
    with transaction() as db:
        db.get_one(TopicCount, studio.topic_id).seconds = seconds


def test_of_small_topics_only_the_opt_ins_are_counted(studio: Studio) -> None:
    studio.people(7)
    assert count_topics(now=studio.now) == [studio.topic_id]
    with transaction() as db:
        kept = db.get_one(TopicCount, studio.topic_id)
        assert (topic_figures.size_of(kept), kept.reasons, kept.promises) == (7, {}, [])


def test_a_topic_that_has_grown_is_counted_in_full(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.people(7)
    monkeypatch.setattr(topic_counting, "SMALL", 5)
    monkeypatch.setattr(topic_counting, "LARGE", 7)
    count_topics(now=studio.now)
    with transaction() as db:
        kept = db.get_one(TopicCount, studio.topic_id)
        assert (kept.reasons, kept.figures["people"]) == ({}, 7)  # it may be shown beside a larger one
    studio.opt_in("token-7")
    assert count_topics(now=studio.now + SELDOM) == [studio.topic_id]
    with transaction() as db:
        assert db.get_one(TopicCount, studio.topic_id).reasons["eligible"] == 8


def test_small_topics_are_looked_at_seldom(counted: Studio) -> None:
    assert count_topics(now=counted.now + SELDOM - HOUR / 60) == []
    assert count_topics(now=counted.now + SELDOM) == [counted.topic_id]


def test_a_topic_that_was_never_counted_is_counted_at_once(studio: Studio) -> None:
    assert count_topics(now=studio.now) == [studio.topic_id]
