"""The broadcasts of a fanpage that fare badly: those under way by their last attempts, and those that ended
lately by all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.broadcasts.rules import BroadcastState
from core.db.engine import reading
from core.db.tables import Broadcast, BroadcastResult, Delivery, RecentOutcomes
from core.deliveries import failure_rules, recent_outcomes
from core.deliveries.failure_rules import Failing
from core.deliveries.recent_outcomes import Scope
from core.deliveries.rules import DeliveryState

LATELY = timedelta(days=3)


@dataclass(frozen=True)
class FailingBroadcast:
    """A broadcast that fares badly."""

    id: int
    name: str
    state: str
    pause_code: str | None
    failing: Failing


def list_failing(fanpage_id: int, *, now: datetime) -> list[FailingBroadcast]:
    """The broadcasts of a fanpage that fare badly, the latest first; two queries, however many there are."""
    with reading() as db:
        found = [*_under_way(db, fanpage_id), *_ended(db, fanpage_id, now - LATELY)]
    return sorted(found, key=lambda each: -each.id)


def _under_way(db: Session, fanpage_id: int) -> list[FailingBroadcast]:
    statement = (
        select(Broadcast, RecentOutcomes)
        .join(RecentOutcomes, col(RecentOutcomes.ref_id) == col(Broadcast.id))
        .where(
            col(RecentOutcomes.scope) == Scope.BROADCAST,
            col(Broadcast.fanpage_id) == fanpage_id,
            col(Broadcast.state).in_([BroadcastState.SENDING, BroadcastState.PAUSED]),
        )
    )
    return [
        FailingBroadcast(row.id or 0, row.name, row.state, row.pause_code, bad)
        for row, outcomes in db.execute(statement)
        if (bad := failure_rules.recently_failing(recent_outcomes.as_recent(outcomes)))
    ]


def _ended(db: Session, fanpage_id: int, since: datetime) -> list[FailingBroadcast]:
    """How many were sent stands in the counted result; only the failed are counted here, from the index."""
    statement = (
        select(Broadcast, BroadcastResult, col(Delivery.reason), func.count())
        .join(BroadcastResult, col(BroadcastResult.broadcast_id) == col(Broadcast.id))
        .join(
            Delivery,
            (col(Delivery.broadcast_id) == col(Broadcast.id)) & (col(Delivery.state) == DeliveryState.FAILED),
        )
        .where(
            col(Broadcast.fanpage_id) == fanpage_id,
            col(Broadcast.state).in_([BroadcastState.FINISHED, BroadcastState.CANCELLED]),
            col(Broadcast.finished_at) > since,
        )
        .group_by(col(Broadcast.id), col(BroadcastResult.broadcast_id), col(Delivery.reason))
    )
    rows: dict[int, tuple[Broadcast, int]] = {}
    reasons: dict[int, dict[str, int]] = {}
    for row, result, reason, people in db.execute(statement):
        rows[row.id or 0] = row, result.people.get(DeliveryState.SENT, 0)
        reasons.setdefault(row.id or 0, {})[reason or ""] = people
    return [
        FailingBroadcast(key, row.name, row.state, row.pause_code, bad)
        for key, (row, sent) in rows.items()
        if (bad := failure_rules.failing(_counts(sent, reasons[key]), reasons[key]))
    ]


def _counts(sent: int, reasons: dict[str, int]) -> dict[str, int]:
    return {DeliveryState.SENT: sent, DeliveryState.FAILED: sum(reasons.values())}
