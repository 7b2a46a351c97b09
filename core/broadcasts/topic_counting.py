"""Counts topics for the pages that show them; the worker does it now and then.

Only of a large topic is shown what was counted last. Of small ones just the opt-ins are counted, all
at once and seldom, in case that one has grown: one by one, hundreds would take longer than the sending.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlmodel import col

from core.broadcasts.topic_queries import count_need
from core.broadcasts.topic_reach import count_reach
from core.consent.eligibility import ELIGIBLE
from core.consent.topic_figures import SMALL, count_figures, size_of
from core.db import bulk
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, OptIn, OptInImport, Topic, TopicCount

log = structlog.get_logger(__name__)
FRESH = timedelta(seconds=20)
SELDOM = timedelta(minutes=30)
SHARE = 25  # counting all topics takes at most a twenty-fifth of the time
AFTER_A_CHANGE = 5  # times what the counting takes, once a broadcast or an import has changed the topic
AT_ONCE_SECONDS = 0.3  # the rest is for the next time


def count_topics(*, now: datetime) -> list[int]:
    """Count the topics that are due, those that were counted longest ago first, as many as there is time for.
    Returns their ids."""
    of_topic = col(Broadcast.topic_id) == col(Topic.id)
    moved = func.max(func.coalesce(Broadcast.finished_at, Broadcast.started_at))
    changed = select(moved).where(of_topic).scalar_subquery()
    of_import = col(OptInImport.topic_id) == col(Topic.id)
    imported = select(func.max(OptInImport.ended_at)).where(of_import).scalar_subquery()
    statement = (
        select(col(Topic.id), TopicCount, changed, imported)
        .outerjoin(TopicCount, col(TopicCount.topic_id) == col(Topic.id))
        .order_by(col(TopicCount.counted_at).is_not(None), col(TopicCount.counted_at), col(Topic.id))
    )
    with reading() as db:
        known = db.execute(statement).all()
    usual = timedelta(seconds=SHARE * sum(kept.seconds for _id, kept, *_changes in known if kept))
    due = [
        topic_id or 0
        for topic_id, kept, *changes in known
        if kept is None or kept.counted_at + _wait(kept, [each for each in changes if each], usual) <= now
    ]
    large = {kept.topic_id for _id, kept, *_changes in known if kept and size_of(kept) > SMALL}
    small = _note_small([each for each in due if each not in large], now)
    return [*small, *_count_some([each for each in due if each not in small], now)]


def _note_small(topic_ids: Sequence[int], now: datetime) -> list[int]:
    """Note of small topics how many opt-ins they have, by one statement. Returns which of these they are."""
    if not topic_ids:
        return []
    of_them = col(OptIn.topic_id).in_(bulk.among(topic_ids))
    counted = select(col(OptIn.topic_id), col(OptIn.state), func.count()).where(of_them)
    with reading() as db:
        rows = db.execute(counted.group_by(col(OptIn.topic_id), col(OptIn.state))).all()
    figures: dict[int, dict[str, int]] = {topic_id: {} for topic_id in topic_ids}
    for topic_id, state, opt_ins in rows:
        figures[topic_id or 0][state] = opt_ins
    notes = [TopicCount(topic_id=each, counted_at=now, figures=found) for each, found in figures.items()]
    small = [note for note in notes if size_of(note) <= SMALL]
    with transaction() as db:
        for note in small:
            db.merge(note)
    return [note.topic_id for note in small]


def _count_some(topic_ids: Iterable[int], now: datetime) -> list[int]:
    """Count these topics, as many as there is time for."""
    until, counted = time.monotonic() + AT_ONCE_SECONDS, list[int]()
    for topic_id in topic_ids:
        try:
            count_topic(topic_id, now=now)
            counted.append(topic_id)
        except Exception as problem:  # the others are counted all the same
            log.exception("topic_not_counted", topic_id=topic_id, error=type(problem).__name__)
        if time.monotonic() >= until:
            break
    return counted


def _wait(kept: TopicCount, changes: list[datetime], usual: timedelta) -> timedelta:
    """How long after the last count a topic is counted again."""
    if any(at > kept.counted_at for at in changes):
        return max(FRESH, timedelta(seconds=AFTER_A_CHANGE * kept.seconds))
    return max(FRESH, usual) if size_of(kept) > SMALL else SELDOM


def count_topic(topic_id: int, *, now: datetime) -> None:
    """Count one topic and keep what was found."""
    began = time.monotonic()
    with reading() as db:
        figures = count_figures(db, [topic_id], now).get(topic_id, {})
        need_asking = count_need(db, topic_id, now)
    reach = count_reach(topic_id, now=now)
    found = TopicCount(
        topic_id=topic_id,
        counted_at=now,
        seconds=time.monotonic() - began,
        figures=figures,
        reasons={ELIGIBLE: reach.run.eligible, **reach.run.left_out},
        in_window=reach.run.in_window,
        opt_ins=reach.opt_ins,
        promises=[[promise.title, promise.people] for promise in reach.promises],
        need_asking=need_asking,
    )
    with transaction() as db:
        db.merge(found)
