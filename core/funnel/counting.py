"""Counts how far requests lead, by day, topic, wording and entry point; the worker does it now and then.

Every figure counts requests of that day, so that all have one base: of those asked, how many have by now
seen it, tapped, were notified, have read that and followed a link. Each is at most the one before it. Opt-ins
that no request of ours brought (an import) are not in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, Select, String, bindparam, case, delete, exists, func, insert, or_, select
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, col

from core.conversation.rules import ReplyState
from core.db import bulk
from core.db.engine import reading, transaction
from core.db.tables import Delivery, Fanpage, FunnelCount, FunnelDay, OptIn, Reply, Request, UtcTime
from core.deliveries.rules import DeliveryState

FIGURES = ("asked", "seen", "tapped", "notified", "read", "clicked")
ALIKE = ("topic_id", "title", "entry_kind", "entry_value", "test", "variant")
FRESH = timedelta(seconds=20)
AT_LEAST = timedelta(minutes=5)  # so often the time of counting is written, though nothing has changed
OLDEST = timedelta(days=400)  # an opt-in ends after a year; what is older stays as it was counted
SHARE = 100  # the counting takes at most a hundredth of the time
_DAYS: dict[str, TypeEngine[Any]] = {"day": String(), "start": UtcTime(), "end": UtcTime()}
Day = tuple[str, datetime, datetime]  # its name, its first moment and that of the next one
_NEVER_ASKED = (ReplyState.QUEUED, ReplyState.SENDING, ReplyState.FAILED, ReplyState.SKIPPED)


def count_funnels(*, now: datetime) -> None:
    """Count the funnels that are due. The more there is to count, the more rarely it is counted; a fanpage
    that has asked nobody has none."""
    has_asked = exists().where(col(Request.fanpage_id) == col(Fanpage.id))
    statement = (
        select(col(Fanpage.id), col(Fanpage.timezone), col(FunnelCount.counted_at), col(FunnelCount.seconds))
        .outerjoin(FunnelCount, col(FunnelCount.fanpage_id) == col(Fanpage.id))
        .where(has_asked)
    )
    with reading() as db:
        known = db.execute(statement.order_by(col(Fanpage.id))).all()
    for fanpage_id, zone, counted_at, seconds in known:
        wait = max(FRESH, timedelta(seconds=SHARE * (seconds or 0.0)))
        if counted_at is None or counted_at + wait <= now:
            count_funnel(fanpage_id or 0, ZoneInfo(zone), counted_at, now=now)


def count_funnel(fanpage_id: int, zone: ZoneInfo, counted_at: datetime | None, *, now: datetime) -> None:
    """Count the funnel of one fanpage, and keep what has changed."""
    began = time.monotonic()
    with reading() as db:
        first = db.execute(
            select(func.min(col(Request.created_at))).where(col(Request.fanpage_id) == fanpage_id)
        ).scalar_one()
        if first is None:
            return
        since = max(first, now - OLDEST).astimezone(zone).date()
        found = _count(db, fanpage_id, list(_days(since.isoformat(), zone, now)))
        columns = [getattr(FunnelDay, name) for name in ("day", *ALIKE, *FIGURES)]
        kept = db.execute(select(*columns).where(*_since(fanpage_id, since.isoformat()))).all()
    if sorted(map(tuple, kept)) == sorted(found) and counted_at and now - counted_at < AT_LEAST:
        return
    took = time.monotonic() - began
    with transaction() as db:
        _keep(db, fanpage_id, since.isoformat(), found)
        db.merge(FunnelCount(fanpage_id=fanpage_id, counted_at=now, seconds=took))


def _keep(db: Session, fanpage_id: int, since: str, found: list[tuple[Any, ...]]) -> None:
    db.execute(delete(FunnelDay).where(*_since(fanpage_id, since)))
    names = ("day", *ALIKE, *FIGURES)
    rows = [{"fanpage_id": fanpage_id, **dict(zip(names, row, strict=True))} for row in found]
    if rows:
        db.execute(insert(FunnelDay), rows)


def _since(fanpage_id: int, day: str) -> tuple[Any, ...]:
    return col(FunnelDay.fanpage_id) == fanpage_id, col(FunnelDay.day) >= day


def _days(first: str, zone: ZoneInfo, now: datetime) -> Iterator[Day]:
    """Each day until today, with its first moment and that of the next day."""
    day = datetime.fromisoformat(first)
    last = now.astimezone(zone).date()
    while day.date() <= last:
        following = day + timedelta(days=1)
        yield (
            day.date().isoformat(),
            day.replace(tzinfo=zone).astimezone(UTC),
            following.replace(tzinfo=zone).astimezone(UTC),
        )
        day = following


def _count(db: Session, fanpage_id: int, days: list[Day]) -> list[tuple[Any, ...]]:
    """The figures of the requests of these days, those alike together."""
    rows = bulk.bound([[day, bulk.stamp(start), bulk.stamp(end)] for day, start, end in days])
    return [tuple(row) for row in db.execute(_of_days(), {**rows, "fanpage": fanpage_id}).all()]


@cache
def _of_days() -> Select[Any]:
    one = _requests().subquery()
    figures = [func.coalesce(func.sum(one.c[name], type_=Integer), 0) for name in FIGURES]
    alike = [one.c[name] for name in ("day", *ALIKE)]
    return select(*alike, *figures).where(one.c.asked == 1).group_by(*alike)


def _requests() -> Select[Any]:
    """Each request of the given days once, with 0 or 1 for each figure. What comes later shows what was
    before: who tapped was asked and has seen it, also where Messenger reports no reading."""
    tapped = col(Request.tapped_at).is_not(None)
    sent = col(Delivery.id).is_not(None)
    read = or_(col(Delivery.read_at).is_not(None), col(Delivery.clicked_at).is_not(None))
    never_asked = col(Reply.id).is_not(None) & col(Reply.state).in_(_NEVER_ASKED)
    figures = {
        "asked": or_(tapped, ~never_asked),
        "seen": or_(tapped, col(Reply.read_at).is_not(None)),
        "tapped": tapped,
        "notified": tapped & sent,
        "read": tapped & sent & read,
        "clicked": tapped & sent & col(Delivery.clicked_at).is_not(None),
    }
    day = bulk.rows_given(_DAYS).subquery("given")
    return (
        select(
            day.c.day,
            *[getattr(Request, name) for name in ALIKE],
            *[func.max(case((is_so, 1), else_=0)).label(name) for name, is_so in figures.items()],
        )
        .select_from(day)
        .join(
            Request,
            (col(Request.fanpage_id) == bindparam("fanpage"))
            & (col(Request.created_at) >= day.c.start)
            & (col(Request.created_at) < day.c.end),
        )
        .outerjoin(Reply, col(Reply.request_id) == col(Request.id))
        .outerjoin(OptIn, col(OptIn.request_id) == col(Request.id))
        .outerjoin(
            Delivery,
            (col(Delivery.opt_in_id) == col(OptIn.id)) & (col(Delivery.state) == DeliveryState.SENT),
        )
        .group_by(col(Request.id), day.c.day)
    )
