"""The drafts whose approval somebody asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.broadcasts.rules import BroadcastState
from core.db.engine import reading
from core.db.tables import Broadcast


@dataclass(frozen=True)
class ApprovalRequest:
    """A draft, and who asked for its approval when."""

    broadcast_id: int
    name: str
    asked_by: str
    asked_at: datetime


def list_approval_requests(fanpage_id: int, *, limit: int = 5) -> list[ApprovalRequest]:
    """The drafts of a fanpage for which somebody asks for approval, the oldest request first."""
    columns = select(
        col(Broadcast.id), col(Broadcast.name), col(Broadcast.asked_by), col(Broadcast.asked_at)
    ).where(
        col(Broadcast.fanpage_id) == fanpage_id,
        col(Broadcast.state) == BroadcastState.DRAFT,
        col(Broadcast.asked_at).is_not(None),
    )
    with reading() as db:
        found = db.execute(columns.order_by(col(Broadcast.asked_at)).limit(limit))
        return [ApprovalRequest(*row) for row in found]
