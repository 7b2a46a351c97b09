"""Who answered a broadcast: wrote, or tapped a button, within a messaging window of getting it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Text, func, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, col

from core.db import bulk
from core.db.tables import Customer, Delivery, UtcTime
from core.deliveries.rules import DeliveryState
from core.messenger.message_limits import MESSAGING_WINDOW

_COLUMNS: dict[str, TypeEngine[Any]] = {
    "fanpage_id": BigInteger(),
    "psid": Text(),
    "at": UtcTime(),
    "since": UtcTime(),
}


def note_answers(db: Session, acts: Iterable[tuple[tuple[int, str], datetime]]) -> list[tuple[int, int]]:
    """Record for people (fanpage id, PSID) that they wrote or tapped then. It counts once, for the last
    broadcast that had reached them by then. The caller has locked the rows.

    Returns who answered just now for the first time, and which broadcast: (customer id, broadcast id).
    """
    first: dict[tuple[int, str], datetime] = {}
    for person, at in acts:
        first[person] = min(at, first.get(person, at))
    if first:
        rows = [
            [*who, bulk.stamp(at), bulk.stamp(at - MESSAGING_WINDOW)] for who, at in sorted(first.items())
        ]
        found: list[Any] = list(_noting().run(db, bulk.bound(rows)))
        return [(who, what) for who, what in found]
    return []


@cache
def _noting() -> bulk.CompiledStatement:
    act = bulk.rows_given(_COLUMNS).subquery("act").c
    earlier = aliased(Delivery)
    last = (
        select(func.max(col(earlier.id)))
        .where(
            col(earlier.customer_id) == col(Customer.id),
            col(earlier.state) == bulk.constant(DeliveryState.SENT),
            col(earlier.claimed_at) <= act.at,
            col(earlier.claimed_at) > act.since,
        )
        .correlate(Customer, act.at.table)
        .scalar_subquery()
    )
    return bulk.CompiledStatement(
        update(Delivery)
        .where(
            col(Customer.fanpage_id) == act.fanpage_id,
            col(Customer.psid) == act.psid,
            col(Delivery.id) == last,
            col(Delivery.replied_at).is_(None),
        )
        .values(replied_at=act.at)
        .returning(col(Delivery.customer_id), col(Delivery.broadcast_id))
    )
