"""The message that follows the first response to a broadcast, where that leads to no other message.

The response opened the 24-hour window, so the bot says by PSID what did not fit into the one message of the
token. It is read here, inside the transaction that applies the response, and said by core/inbox/effects.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import bulk
from core.db.tables import Broadcast


def messages_to_follow(db: Session, responded: Sequence[tuple[int, int]]) -> dict[int, int]:
    """For who responded (customer id, broadcast id) just now, by customer: the message to follow, if any."""
    wanted = sorted({broadcast_id for _, broadcast_id in responded})
    if not wanted:
        return {}
    chosen = select(col(Broadcast.id), col(Broadcast.content)).where(
        col(Broadcast.id).in_(bulk.among(wanted))
    )
    after = {row.id: row.content.get("after_message_id") for row in db.execute(chosen)}
    return {customer_id: after[what] for customer_id, what in responded if after.get(what)}
