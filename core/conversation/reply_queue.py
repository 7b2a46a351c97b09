"""Queues messages by PSID for the worker, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from core.conversation.opt_in_requests import Body
from core.conversation.rules import ReplyState
from core.db.tables import Reply
from core.messenger import wire


@dataclass(frozen=True)
class Queued:
    """The messages of one answer to one customer; of a test with its id."""

    fanpage_id: int
    customer_id: int
    bodies: Sequence[Body]
    tester_message_id: int | None = None


def queue_replies(db: Session, queued: Queued, now: datetime) -> int:
    """Queue the messages of one answer in order; returns how many. While the first is on its way, the
    customer sees that we are typing."""
    rows = [
        {
            **reply_row(queued.fanpage_id, queued.customer_id, request_id, body, now),
            "begins_answer": place == 0,
            "tester_message_id": queued.tester_message_id,
        }
        for place, (request_id, body) in enumerate(queued.bodies)
    ]
    if rows:
        db.execute(insert(Reply), rows)
    return len(rows)


def queue_behind(db: Session, queued: Queued, now: datetime) -> int:
    """Queue messages that need no language. Behind an answer that waits for one they wait, too, to keep their
    order. Returns how many."""
    if not queued.bodies or not holds_answer(db, queued.customer_id):
        return queue_replies(db, queued, now)
    rows = [
        {
            **reply_row(queued.fanpage_id, queued.customer_id, request_id, {}, now),
            "begins_with": {"request_id": request_id, "body": body},
        }
        for request_id, body in queued.bodies
    ]
    db.execute(insert(Reply), rows)
    return len(rows)


def holds_answer(db: Session, customer_id: int) -> bool:
    """Whether an answer to this customer waits for their language."""
    held = select(col(Reply.id)).where(
        col(Reply.customer_id) == customer_id,
        col(Reply.begins_with).is_not(None),
        col(Reply.state).in_([ReplyState.QUEUED, ReplyState.SENDING]),
    )
    return db.execute(held.limit(1)).first() is not None


def reply_row(
    fanpage_id: int, customer_id: int, request_id: int | None, body: wire.Message, now: datetime
) -> dict[str, Any]:
    """The values of a queued reply; `request_id` is of the request that its body makes, if any."""
    return {
        "fanpage_id": fanpage_id,
        "customer_id": customer_id,
        "request_id": request_id,
        "body": body,
        "state": ReplyState.QUEUED,
        "created_at": now,
    }
