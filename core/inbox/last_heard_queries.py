"""When a fanpage's customers were last heard of."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import col

from core.db.engine import reading
from core.db.tables import Broadcast, BroadcastResult, Request
from core.deliveries.rules import DeliveryState
from core.inbox.queries import last_webhook_at
from core.inbox.silence_alarm_rules import Hearing


def get_hearing(fanpage_id: int, page_id: str) -> Hearing:
    """When customers were last heard of, last asked, and last reached by a broadcast. Each time is the first
    of an index."""
    asked = select(func.max(Request.created_at)).where(col(Request.fanpage_id) == fanpage_id)
    started = (
        select(col(Broadcast.started_at), col(BroadcastResult.people))
        .join(BroadcastResult, col(BroadcastResult.broadcast_id) == col(Broadcast.id))
        .where(col(Broadcast.fanpage_id) == fanpage_id)
        .order_by(col(Broadcast.started_at).desc())
        .limit(5)
    )
    with reading() as db:
        request_at = db.execute(asked).scalar_one()
        known = db.execute(started).all()
    reached = (at for at, people in known if people.get(DeliveryState.SENT))
    return Hearing(last_webhook_at(page_id), request_at, next(reached, None))
