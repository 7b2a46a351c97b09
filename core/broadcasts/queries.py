"""What pages and the command line read of a broadcast: its facts, and how its deliveries stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.broadcasts import audience_builder
from core.broadcasts.draft_rules import saves_opt_ins
from core.broadcasts.rules import FAILED_MUCH, BroadcastState
from core.consent.audience_filters import EVERYBODY, AudienceFilters, filters_of
from core.db.engine import reading
from core.db.tables import Broadcast, Delivery, Fanpage, Topic
from core.deliveries import failure_rules, recent_outcomes
from core.deliveries.failure_rules import Failing
from core.deliveries.recent_outcomes import Scope
from core.deliveries.rules import DELIVERY_STATES, DeliveryState
from core.errors import N_, NotFound


@dataclass(frozen=True)
class BroadcastView:
    id: int
    fanpage_id: int
    rate: int
    timezone: str
    name: str
    topic_id: int
    topic: str
    content: dict[str, Any]
    state: str
    due_at: datetime | None
    best_before: datetime | None
    audience: int
    is_complete: bool  # False while the rest of the audience is still being added
    pause_code: str | None
    created_by: str
    launched_by: str
    version: int
    approved_version: int | None  # what is sent; None: nothing is approved
    approved_by: str
    approved_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: dict[str, int] = field(default_factory=dict)  # delivery state: deliveries, all states present
    reasons: dict[str, int] = field(default_factory=dict)
    open_reasons: dict[str, int] = field(default_factory=dict)  # of `reasons`, those of unknown outcomes
    delivered: int = 0
    read: int = 0
    filters: AudienceFilters = EVERYBODY
    saves_opt_ins: bool = False
    in_doubt: int = 0  # not ended yet, but an earlier attempt may have been accepted
    failing: Failing | None = None  # while it goes on by its last attempts, then by all of them

    @property
    def attempts(self) -> int:
        """How many were tried to the end: shares of what was sent or failed are shares of these."""
        return failure_rules.attempted(self.counts)

    @property
    def looks(self) -> str:
        """The state as its badge shows it: one that ended with many failures is not simply finished."""
        return FAILED_MUCH if self.state == BroadcastState.FINISHED and self.failing else self.state

    @property
    def balances(self) -> bool:
        """Whether the closing balance holds: everybody in the audience is in exactly one state."""
        return self.audience == sum(self.counts.values())


def get_broadcast(broadcast_id: int) -> BroadcastView:
    with reading() as db:
        row = db.execute(_with_names().where(col(Broadcast.id) == broadcast_id)).one_or_none()
        if row is None:
            raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
        return _view(db, *row)


def list_broadcasts(fanpage_id: int | None) -> list[BroadcastView]:
    """All broadcasts with their balances, newest first. The lists of the panel use list_queries.py."""
    with reading() as db:
        chosen = _with_names().order_by(col(Broadcast.id).desc())
        if fanpage_id is not None:
            chosen = chosen.where(col(Broadcast.fanpage_id) == fanpage_id)
        return [_view(db, *row) for row in db.execute(chosen).all()]


def _with_names() -> Any:
    return (
        select(Broadcast, col(Topic.name), Fanpage, audience_builder.so_far(), audience_builder.is_complete())
        .join(Topic, col(Topic.id) == col(Broadcast.topic_id))
        .join(Fanpage, col(Fanpage.id) == col(Broadcast.fanpage_id))
    )


def _view(
    db: Session, row: Broadcast, topic: str, fanpage: Fanpage, so_far: int, is_complete: bool
) -> BroadcastView:
    counts = dict.fromkeys((str(state) for state in DELIVERY_STATES), 0)
    reasons: dict[str, int] = {}
    open_reasons: dict[str, int] = {}
    failed_reasons: dict[str, int] = {}
    delivered = read = in_doubt = 0
    if row.started_at:
        for state, reason, doubt, people, arrived, seen in _tally(db, row.id or 0):
            counts[state] += people
            delivered, read = delivered + arrived, read + seen
            in_doubt += people if doubt and state in (DeliveryState.QUEUED, DeliveryState.SENDING) else 0
            if reason and state not in (DeliveryState.QUEUED, DeliveryState.SENDING):
                reasons[reason] = reasons.get(reason, 0) + people
            if reason and state == DeliveryState.FAILED:
                failed_reasons[reason] = failed_reasons.get(reason, 0) + people
            if reason and state == DeliveryState.UNKNOWN:
                open_reasons[reason] = open_reasons.get(reason, 0) + people
    return BroadcastView(
        id=row.id or 0,
        fanpage_id=row.fanpage_id,
        rate=fanpage.rate,
        timezone=fanpage.timezone,
        name=row.name,
        topic_id=row.topic_id,
        topic=topic,
        content=row.content,
        state=row.state,
        due_at=row.due_at,
        best_before=row.best_before,
        audience=so_far,
        is_complete=bool(is_complete),
        pause_code=row.pause_code,
        created_by=row.created_by,
        launched_by=row.launched_by,
        version=row.version,
        approved_version=row.approved_version,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=counts,
        reasons=reasons,
        open_reasons=open_reasons,
        delivered=delivered,
        read=read,
        filters=filters_of(row.filters),
        saves_opt_ins=saves_opt_ins(row.sender),
        in_doubt=in_doubt,
        failing=_failing(db, row, counts, failed_reasons),
    )


def _failing(
    db: Session, row: Broadcast, counts: dict[str, int], failed_reasons: dict[str, int]
) -> Failing | None:
    if row.state in (BroadcastState.SENDING, BroadcastState.PAUSED):
        key = (Scope.BROADCAST, row.id or 0)
        return failure_rules.recently_failing(recent_outcomes.recent(db, key))
    return failure_rules.failing(counts, failed_reasons)


def _tally(db: Session, broadcast_id: int) -> Sequence[tuple[str, str | None, bool, int, int, int]]:
    statement = (
        select(
            col(Delivery.state),
            col(Delivery.reason),
            col(Delivery.in_doubt),
            func.count(),
            func.count(col(Delivery.delivered_at)),
            func.count(col(Delivery.read_at)),
        )
        .where(col(Delivery.broadcast_id) == broadcast_id)
        .group_by(col(Delivery.state), col(Delivery.reason), col(Delivery.in_doubt))
    )
    return db.execute(statement).all()
