"""Broadcasts arranged for the tests of their pages, as of now: pages ask the real clock."""

from __future__ import annotations

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, scheduled_jobs
from core.broadcasts.delivery_queries import list_deliveries
from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Broadcast, Delivery

TEXT = {"kind": "text", "text": "Chào {{first_name|bạn}}, khuyến mãi đã bắt đầu!"}


def a_draft(topic_id: int, **content: object) -> int:
    return actions.create_broadcast(
        COMMAND_LINE, topic_id=topic_id, content=dict(content or TEXT), name="Flash sale", now=utc_now()
    )


def started(topic_id: int) -> int:
    broadcast_id = a_draft(topic_id)
    actions.launch(COMMAND_LINE, broadcast_id, now=utc_now())
    assert scheduled_jobs.start_due(now=utc_now()) == [broadcast_id]
    return broadcast_id


def put(broadcast_id: int, **values: object) -> None:
    with transaction() as db:
        for name, value in values.items():
            setattr(db.get(Broadcast, broadcast_id), name, value)


def settle(broadcast_id: int, *states: tuple[str, str | None]) -> None:
    """What became of the deliveries, in their order."""
    with transaction() as db:
        for delivery, (state, reason) in zip(list_deliveries(broadcast_id), states, strict=True):
            row = db.get(Delivery, delivery.id)
            row.state, row.reason, row.settled_at = state, reason, utc_now()


def state_of(broadcast_id: int) -> str:
    return queries.get_broadcast(broadcast_id).state
