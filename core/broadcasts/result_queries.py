"""The results of broadcasts as they were counted last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlmodel import col

from core.broadcasts.results import Result
from core.db.engine import reading
from core.db.tables import Broadcast, BroadcastResult

EARLIER = 5  # broadcasts of the topic beside which one is shown


@dataclass(frozen=True)
class Hour:
    """What happened in one hour, which begins then."""

    at: datetime
    people: dict[str, int]  # Result: people


@dataclass(frozen=True)
class ResultView:
    """What a broadcast has achieved."""

    broadcast_id: int
    name: str
    started_at: datetime | None
    counted_at: datetime
    people: dict[str, int] = field(default_factory=dict)  # Result: people
    links: dict[str, int] = field(default_factory=dict)  # web address: people
    hours: tuple[Hour, ...] = ()

    def count(self, result: Result) -> int:
        return self.people.get(result, 0)

    def share(self, result: Result) -> float | None:
        """Of those whom it was sent to; None when nobody was."""
        sent = self.count(Result.SENT)
        return self.count(result) / sent if sent else None


def get_result(broadcast_id: int) -> ResultView | None:
    """The result of a broadcast as it was counted last; None while it has not been counted."""
    found = _results(col(Broadcast.id) == broadcast_id)
    return found[0] if found else None


def earlier_results(topic_id: int, before: datetime, *, limit: int = EARLIER) -> Sequence[ResultView]:
    """The results of the topic's broadcasts that started before then, the latest first."""
    return _results(col(Broadcast.topic_id) == topic_id, col(Broadcast.started_at) < before, limit=limit)


def latest_results(fanpage_id: int, *, limit: int = EARLIER + 1) -> Sequence[ResultView]:
    """The results of a fanpage's broadcasts, the latest first."""
    return _results(col(Broadcast.fanpage_id) == fanpage_id, limit=limit)


def average(results: Sequence[ResultView], result: Result) -> float | None:
    """The share of all people of these broadcasts together: a small one counts less than a large one."""
    sent = sum(each.count(Result.SENT) for each in results)
    return sum(each.count(result) for each in results) / sent if sent else None


def _results(*chosen: object, limit: int = 1) -> list[ResultView]:
    statement = (
        select(BroadcastResult, col(Broadcast.name), col(Broadcast.started_at))
        .join(Broadcast, col(Broadcast.id) == col(BroadcastResult.broadcast_id))
        .where(*chosen)  # type: ignore[arg-type]
        .order_by(col(Broadcast.started_at).desc())
        .limit(limit)
    )
    with reading() as db:
        return [
            ResultView(
                broadcast_id=row.broadcast_id,
                name=name,
                started_at=started_at,
                counted_at=row.counted_at,
                people=row.people,
                links=row.links,
                hours=tuple(Hour(_hour(named), people) for named, people in row.hours.items()),
            )
            for row, name, started_at in db.execute(statement)
        ]


def _hour(named: str) -> datetime:
    return datetime.strptime(named, "%Y-%m-%dT%H").replace(tzinfo=UTC)
