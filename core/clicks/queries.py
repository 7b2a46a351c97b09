"""Finds the web address behind a code."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlmodel import col

from core.clicks.codes import LinkId, Sent
from core.clicks.rules import links_in
from core.conversation.rules import render
from core.db.engine import reading
from core.db.tables import Broadcast, Delivery, Reply


def find_target(link: LinkId) -> str | None:
    """The address that stands in that place of that message, and nothing else: what nobody wrote into a
    message leads nowhere. None when the message is gone, or never had such a link."""
    message = _delivered(link.id) if link.sent == Sent.DELIVERY else _replied(link.id)
    links = links_in(message) if message else []
    return links[link.place] if link.place < len(links) else None


def _delivered(delivery_id: int) -> dict[str, Any] | None:
    statement = (
        select(col(Broadcast.content))
        .join(Delivery, col(Delivery.broadcast_id) == col(Broadcast.id))
        .where(col(Delivery.id) == delivery_id)
    )
    with reading() as db:
        content = db.execute(statement).scalar_one_or_none()
    return render(content["kind"], content) if content else None


def _replied(reply_id: int) -> dict[str, Any] | None:
    with reading() as db:
        return db.execute(select(col(Reply.body)).where(col(Reply.id) == reply_id)).scalar_one_or_none()
