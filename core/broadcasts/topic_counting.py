"""Counts topics for the pages that show them; the worker does it now and then.

Only what takes long to count is shown as it was counted last. A topic that is counted quickly is looked at
seldom, in case that it has grown.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import col

from core.broadcasts.topic_queries import count_need
from core.broadcasts.topic_reach import count_reach
from core.consent.eligibility import ELIGIBLE
from core.consent.topic_figures import count_figures
from core.db.engine import reading, transaction
from core.db.short_memory import DEAR_SECONDS
from core.db.tables import Broadcast, OptInImport, Topic, TopicCount

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
        select(col(Topic.id), col(TopicCount.counted_at), col(TopicCount.seconds), changed, imported)
        .outerjoin(TopicCount, col(TopicCount.topic_id) == col(Topic.id))
        .order_by(col(TopicCount.counted_at).is_not(None), col(TopicCount.counted_at), col(Topic.id))
    )
    with reading() as db:
        known = db.execute(statement).all()
    wait = timedelta(seconds=SHARE * sum(each.seconds or 0.0 for each in known))
    until, counted = time.monotonic() + AT_ONCE_SECONDS, list[int]()
    for topic_id, counted_at, seconds, *changes in known:
        if counted_at is None or _is_due(counted_at, seconds, [each for each in changes if each], now, wait):
            count_topic(topic_id or 0, now=now)
            counted.append(topic_id or 0)
            if time.monotonic() >= until:
                break
    return counted


def _is_due(
    counted_at: datetime, seconds: float, changes: list[datetime], now: datetime, wait: timedelta
) -> bool:
    if any(at > counted_at for at in changes):
        wait = timedelta(seconds=AFTER_A_CHANGE * seconds)
    elif seconds <= DEAR_SECONDS:
        wait = SELDOM
    return counted_at + max(FRESH, wait) <= now


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
