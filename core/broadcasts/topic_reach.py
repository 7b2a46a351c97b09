"""Whom a broadcast on a topic would reach, for pages: as counted last, where counting takes long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.broadcasts.dashboard_queries import get_stock
from core.broadcasts.dry_run_queries import DryRun, PromiseCount, dry_run, list_promises, summed_up
from core.consent.audience_filters import EVERYBODY, AudienceFilters
from core.consent.topic_figures import large_counts
from core.db.engine import reading
from core.db.tables import Fanpage, Topic
from core.db.timed_cache import remember

WORDINGS = 200  # that are told apart


@dataclass(frozen=True)
class TopicReach:
    """A dry run with what stands beside it; all of one moment."""

    run: DryRun
    opt_ins: int  # of the topic that could be used, whatever the filters
    promises: tuple[PromiseCount, ...]  # of those who would get it, the most common first
    counted_at: datetime


def get_reach(
    topic_id: int, filters: AudienceFilters = EVERYBODY, *, now: datetime, due_at: datetime | None = None
) -> TopicReach:
    """Whom it would reach if it started at `due_at`, or now. Raises NotFound."""
    with reading() as db:
        kept = _kept(db, topic_id)
    if kept and due_at is None and not filters:
        return kept
    opt_ins = kept.opt_ins if kept else None
    count = lambda: count_reach(topic_id, filters, now=now, due_at=due_at, opt_ins=opt_ins)  # noqa: E731
    return remember(("reach", topic_id, filters, due_at), count)


def count_reach(
    topic_id: int,
    filters: AudienceFilters = EVERYBODY,
    *,
    now: datetime,
    due_at: datetime | None = None,
    opt_ins: int | None = None,
) -> TopicReach:
    """Count it anew; the opt-ins only unless they are known."""
    run = dry_run(topic_id, filters, now=due_at or now)
    if opt_ins is None:
        opt_ins = get_stock(topic_id, now=now).opt_ins
    return TopicReach(run, opt_ins, tuple(list_promises(topic_id, filters, now=now, limit=WORDINGS)), now)


def _kept(db: Session, topic_id: int) -> TopicReach | None:
    """What the worker counted last; None where it does not take long."""
    kept = large_counts(db, [topic_id])
    if not kept:
        return None
    [row] = kept
    rate = select(col(Fanpage.rate)).join(Topic, col(Topic.fanpage_id) == col(Fanpage.id))
    run = summed_up(
        row.reasons, db.execute(rate.where(col(Topic.id) == topic_id)).scalar_one(), row.in_window
    )
    promises = tuple(PromiseCount(title, people) for title, people in row.promises)
    return TopicReach(run, row.opt_ins, promises, row.counted_at)
