"""Locks rows on PostgreSQL, always in the same order, so that no two transactions wait for each other.

The order: the operator who asks (accounts/authorising.py), fanpage, broadcasts, customers, deliveries,
opt-ins, replies, then rates and call counts; rows of one kind by id, customers by fanpage and PSID. SQLite
lets one write at a time and needs no such locks.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, collate, or_, select
from sqlmodel import Session, col

from core.broadcasts.rules import BroadcastState
from core.db import bulk
from core.db.engine import is_sqlite
from core.db.tables import Broadcast, Customer, Delivery, Fanpage, Reply
from core.deliveries.rules import DeliveryState

_ON_THEIR_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.SENT)
_PERSON = bulk.columns_of(Customer, "fanpage_id", "psid")


def lock_fanpage_and_its_broadcasts(db: Session, fanpage_id: int, *, state: BroadcastState) -> None:
    """Lock a fanpage and its broadcasts in this state, before these change together."""
    if is_sqlite(db):
        return
    _lock(db, select(col(Fanpage.id)).where(col(Fanpage.id) == fanpage_id))
    theirs = col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.state) == state
    _lock(db, select(col(Broadcast.id)).where(*theirs).order_by(col(Broadcast.id)))


def lock_broadcasts(db: Session, ids: Collection[int]) -> None:
    """Lock these broadcasts, so that none ends while its deliveries change."""
    _lock_by_id(db, Broadcast, ids)


def lock_broadcasts_skipping_locked(db: Session, ids: Collection[int]) -> set[int]:
    """Lock those of these broadcasts that nobody else has locked, without waiting for the others. Returns
    their ids."""
    chosen = (
        select(col(Broadcast.id)).where(col(Broadcast.id).in_(bulk.among(ids))).order_by(col(Broadcast.id))
    )
    rows = db.execute(chosen.with_for_update(key_share=True, skip_locked=True)).scalars()
    return {broadcast_id for broadcast_id in rows if broadcast_id}


def lock_customers(db: Session, ids: Collection[int], *, marked: Collection[int] = ()) -> int:
    """Lock these customers, and those of `marked` who are marked as unreachable. Returns how many were
    locked; 0 on SQLite."""
    if is_sqlite(db) or not (ids or marked):
        return 0
    given: Any = bulk.among(ids)
    if marked:  # never an OR of two lists: PostgreSQL would read every customer for it
        is_marked = col(Customer.unreachable_at).is_not(None)
        given = given.union_all(
            select(col(Customer.id)).where(col(Customer.id).in_(bulk.among(marked)), is_marked)
        )
    chosen = col(Customer.id).in_(given)
    return _lock(db, _customers().where(chosen))


def lock_people(db: Session, people: Collection[tuple[int, str]]) -> None:
    """Lock those of these people (fanpage id, PSID) who are customers."""
    if people and not is_sqlite(db):
        given = bulk.rows_given(_PERSON).subquery()
        same = (col(Customer.fanpage_id) == given.c.fanpage_id) & (col(Customer.psid) == given.c.psid)
        locking = _customers().join(given, same).with_for_update(key_share=True, of=Customer)
        db.connection().execute(locking, bulk.bound(list(people))).all()


def lock_deliveries(db: Session, ids: Collection[int]) -> None:
    """Lock these deliveries."""
    _lock_by_id(db, Delivery, ids)


def lock_replies(db: Session, ids: Collection[int]) -> None:
    """Lock these replies."""
    _lock_by_id(db, Reply, ids)


def lock_deliveries_heard_of(
    db: Session, ids: Collection[int], people: Collection[tuple[int, str]], since: datetime
) -> None:
    """Lock these deliveries, and those to these people that are on their way, or not yet both delivered and
    read, or left after `since` and were not answered yet."""
    if is_sqlite(db) or not (ids or people):
        return
    given = bulk.rows_given(_PERSON).subquery()
    same = (col(Customer.fanpage_id) == given.c.fanpage_id) & (col(Customer.psid) == given.c.psid)
    theirs = (
        select(col(Delivery.id))
        .join(Customer, col(Customer.id) == col(Delivery.customer_id))
        .join(given, same)
        .where(
            col(Delivery.state).in_(_ON_THEIR_WAY),
            or_(
                col(Delivery.delivered_at).is_(None),
                col(Delivery.read_at).is_(None),
                and_(col(Delivery.replied_at).is_(None), col(Delivery.claimed_at) > since),
            ),
        )
    )
    chosen = select(col(Delivery.id)).where(col(Delivery.id).in_(bulk.among(ids).union_all(theirs)))
    locking = chosen.order_by(col(Delivery.id)).with_for_update(key_share=True)
    db.connection().execute(locking, bulk.bound(list(people))).all()


def _customers() -> Select[Any]:
    in_order = col(Customer.fanpage_id), collate(col(Customer.psid), "C")
    return select(col(Customer.id)).order_by(*in_order)


def _lock_by_id(
    db: Session, table: type[Broadcast] | type[Delivery] | type[Reply], ids: Collection[int]
) -> None:
    if ids and not is_sqlite(db):
        chosen = select(col(table.id)).where(col(table.id).in_(bulk.among(ids)))
        _lock(db, chosen.order_by(col(table.id)))


def _lock(db: Session, chosen: Select[Any]) -> int:
    # This mode lets others still insert rows that refer to these.
    return len(db.execute(chosen.with_for_update(key_share=True)).all())
