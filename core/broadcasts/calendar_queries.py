"""The broadcasts of a fanpage along time: what was sent on each day, and what stands on which day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import col

from core.broadcasts.results import Result
from core.broadcasts.rules import BroadcastState
from core.db.engine import reading
from core.db.tables import Broadcast, BroadcastResult, Topic

COUNTED_BY_HOUR = timedelta(days=7)  # so long after a start its result is told by the hour
MOST = 500


@dataclass(frozen=True)
class CalendarEntry:
    """A broadcast at its time: when it started, else when it is to start."""

    id: int
    name: str
    topic_id: int
    topic: str
    state: str
    at: datetime
    best_before: datetime | None
    version: int


def sent_by_day(fanpage_id: int, zone: ZoneInfo, *, since: datetime) -> dict[str, int]:
    """How many messages were sent on each day of the zone, by the counted results."""
    statement = (
        select(col(BroadcastResult.hours))
        .join(Broadcast, col(Broadcast.id) == col(BroadcastResult.broadcast_id))
        .where(col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.started_at) > since - COUNTED_BY_HOUR)
    )
    found: dict[str, int] = {}
    with reading() as db:
        for hours in db.execute(statement).scalars():
            for hour, people in hours.items():
                if sent := people.get(Result.SENT):
                    at = datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC)
                    day = at.astimezone(zone).date().isoformat()
                    found[day] = found.get(day, 0) + sent
    return found


def list_entries(fanpage_id: int, start: datetime, end: datetime) -> list[CalendarEntry]:
    """What started or is to start in that time, in its order; drafts only where somebody chose a time."""
    at = func.coalesce(col(Broadcast.started_at), col(Broadcast.due_at))
    statement = (
        select(Broadcast, col(Topic.name))
        .join(Topic, col(Topic.id) == col(Broadcast.topic_id))
        .where(col(Broadcast.fanpage_id) == fanpage_id, at >= start, at < end)
        .order_by(at, col(Broadcast.id))
        .limit(MOST)
    )
    with reading() as db:
        return [_entry(row, topic) for row, topic in db.execute(statement)]


def list_scheduled(fanpage_id: int) -> list[CalendarEntry]:
    """Every broadcast that waits for its time, the first to start first."""
    statement = (
        select(Broadcast, col(Topic.name))
        .join(Topic, col(Topic.id) == col(Broadcast.topic_id))
        .where(
            col(Broadcast.fanpage_id) == fanpage_id,
            col(Broadcast.state) == BroadcastState.SCHEDULED,
            col(Broadcast.due_at).is_not(None),
        )
        .order_by(col(Broadcast.due_at), col(Broadcast.id))
        .limit(MOST)
    )
    with reading() as db:
        return [_entry(row, topic) for row, topic in db.execute(statement)]


def _entry(row: Broadcast, topic: str) -> CalendarEntry:
    return CalendarEntry(
        id=row.id or 0,
        name=row.name,
        topic_id=row.topic_id,
        topic=topic,
        state=row.state,
        at=row.started_at or row.due_at or row.created_at,
        best_before=row.best_before,
        version=row.version,
    )
