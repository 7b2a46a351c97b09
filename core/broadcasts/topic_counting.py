"""Counts topics for the pages that show them; the worker does it now and then.

Only of large topics is shown what was counted last (topic_figures.py). Of the others just the opt-ins are
counted, all at once and seldom, in case that one has grown: to count in full what nobody is shown would take
longer than the sending of hundreds of fanpages.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlmodel import col

from core.broadcasts.topic_queries import count_need
from core.broadcasts.topic_reach import count_reach
from core.consent.eligibility import ELIGIBLE
from core.consent.topic_figures import LARGE, SMALL, count_figures, size_of
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
    known = _known()
    sizes = {each.topic_id: size_of(each.kept) for each in known if each.kept}
    shown = _shown(known, sizes)
    usual = timedelta(seconds=SHARE * sum(each.kept.seconds for each in known if each.kept))
    due = [each for each in known if each.is_due(now, usual if each.topic_id in shown else SELDOM)]
    noted = _states([each.topic_id for each in due if each.topic_id not in shown])
    shown = _shown(known, {**sizes, **{key: sum(states.values()) for key, states in noted.items()}})
    small = {key: states for key, states in noted.items() if key not in shown}
    _note(small, now)
    return [*small, *_count_some([each.topic_id for each in due if each.topic_id in shown], now)]


@dataclass(frozen=True)
class _Known:
    """A topic, as it was counted last, and what has changed many of its opt-ins since."""

    topic_id: int
    fanpage_id: int
    kept: TopicCount | None
    changes: list[datetime]

    def is_due(self, now: datetime, usual: timedelta) -> bool:
        """Whether to count it again, so long after the last time at the latest."""
        if self.kept is None:
            return True
        wait = max(FRESH, usual)
        if any(at > self.kept.counted_at for at in self.changes):
            wait = max(FRESH, timedelta(seconds=AFTER_A_CHANGE * self.kept.seconds))
        return self.kept.counted_at + wait <= now


def _known() -> list[_Known]:
    of_topic = col(Broadcast.topic_id) == col(Topic.id)
    moved = func.max(func.coalesce(Broadcast.finished_at, Broadcast.started_at))
    changed = select(moved).where(of_topic).scalar_subquery()
    of_import = col(OptInImport.topic_id) == col(Topic.id)
    imported = select(func.max(OptInImport.ended_at)).where(of_import).scalar_subquery()
    statement = (
        select(col(Topic.id), col(Topic.fanpage_id), TopicCount, changed, imported)
        .outerjoin(TopicCount, col(TopicCount.topic_id) == col(Topic.id))
        .order_by(col(TopicCount.counted_at).is_not(None), col(TopicCount.counted_at), col(Topic.id))
    )
    with reading() as db:
        return [
            _Known(topic_id or 0, fanpage_id, kept, [at for at in changes if at])
            for topic_id, fanpage_id, kept, *changes in db.execute(statement)
        ]


def _shown(known: Sequence[_Known], sizes: Mapping[int, int]) -> set[int]:
    """The topics of which pages show what was counted last, with these sizes: see topic_figures.py."""
    in_all = Counter[int]()
    for each in known:
        in_all[each.fanpage_id] += sizes.get(each.topic_id, 0)
    return {
        each.topic_id
        for each in known
        if sizes.get(each.topic_id, 0) > SMALL and in_all[each.fanpage_id] > LARGE
    }


def _states(topic_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many opt-ins of each state these topics have, by one statement."""
    found: dict[int, dict[str, int]] = {topic_id: {} for topic_id in topic_ids}
    if topic_ids:
        of_them = col(OptIn.topic_id).in_(bulk.among(topic_ids))
        counted = select(col(OptIn.topic_id), col(OptIn.state), func.count()).where(of_them)
        with reading() as db:
            for topic_id, state, opt_ins in db.execute(
                counted.group_by(col(OptIn.topic_id), col(OptIn.state))
            ):
                found[topic_id or 0][state] = opt_ins
    return found


def _note(states: Mapping[int, dict[str, int]], now: datetime) -> None:
    """Keep how many opt-ins topics have of which no page shows a count; all figures of those that may be
    shown as soon as others of the fanpage have grown."""
    if not states:
        return
    medium = [key for key, found in states.items() if sum(found.values()) > SMALL]
    with reading() as db:
        figures = {**states, **(count_figures(db, medium, now) if medium else {})}
    with transaction() as db:
        for topic_id, found in figures.items():
            db.merge(TopicCount(topic_id=topic_id, counted_at=now, figures=found))


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
