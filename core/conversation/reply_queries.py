"""What the bot has answered to one customer, and whether a colleague keeps it silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.conversation.blocks.bubble import Shape
from core.conversation.placeholders import personalise
from core.conversation.preview import bubbles_of_wire
from core.conversation.silence_rules import silent_until
from core.db.engine import reading
from core.db.tables import Customer, Fanpage, Reply


@dataclass(frozen=True)
class ReplyView:
    id: int
    words: str  # as the customer reads it; "" for a picture
    is_request: bool
    is_test: bool  # sent to a tester
    state: str
    reason: str | None
    created_at: datetime
    settled_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None


@dataclass(frozen=True)
class Silence:
    """The bot does not answer a customer whom a colleague has answered."""

    colleague_at: datetime
    until: datetime


def list_replies(customer_id: int, *, limit: int = 50) -> list[ReplyView]:
    """The bot's messages to a customer, the latest first."""
    chosen = (
        select(Reply, col(Customer.first_name))
        .join(Customer, col(Customer.id) == col(Reply.customer_id))
        .where(col(Reply.customer_id) == customer_id, col(Reply.begins_with).is_(None))
        .order_by(col(Reply.id).desc())
        .limit(limit)
    )
    with reading() as db:
        return [_view(row, first_name) for row, first_name in db.execute(chosen)]


def find_silence(customer_id: int, *, now: datetime) -> Silence | None:
    """Why the bot is silent for a customer now; None when it is not."""
    chosen = (
        select(col(Customer.colleague_at), col(Customer.silence_ended_at), col(Fanpage.silent_hours))
        .join(Fanpage, col(Fanpage.id) == col(Customer.fanpage_id))
        .where(col(Customer.id) == customer_id)
    )
    with reading() as db:
        row = db.execute(chosen).one_or_none()
    if row is None:
        return None
    colleague_at, ended_at, hours = row
    until = silent_until(colleague_at, ended_at, hours)
    return Silence(colleague_at, until) if until is not None and until > now else None


def _view(row: Reply, first_name: str | None) -> ReplyView:
    drawn = bubbles_of_wire(personalise(row.body, first_name))
    said = [bubble.text for bubble in drawn if bubble.shape != Shape.PICTURE]
    return ReplyView(
        row.id or 0,
        " ".join(said),
        row.request_id is not None,
        row.tester_message_id is not None,
        row.state,
        row.reason,
        row.created_at,
        row.settled_at,
        row.delivered_at,
        row.read_at,
    )
