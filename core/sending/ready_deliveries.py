"""Finds what broadcasts could send now: their oldest queued deliveries that are due, locked for a claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, select
from sqlmodel import Session, col

from core.broadcasts import canary
from core.broadcasts.rules import BroadcastState, is_too_late
from core.db import bulk
from core.db.tables import Broadcast, Customer, Delivery, UtcTime
from core.deliveries.rules import DeliveryState
from core.sending.claims import is_due
from core.sending.rules import FARTHEST_ATTEMPT
from core.sending.senders import registry
from core.sending.senders.sender import Sender

_ID = bulk.columns_of(Broadcast, "id")
OWN_COLUMNS: tuple[Any, ...] = (
    col(Delivery.broadcast_id),
    col(Delivery.id),
    col(Delivery.customer_id),
    col(Customer.first_name),
    (col(Delivery.attempt) + 1).label("claim_number"),
    col(Delivery.tries),
    col(Delivery.in_doubt),
)
DELIVERY_ID = 1  # its place among these columns


# A delivery that may be sent, by its sender: the columns above, then those that the sender needs.
class Offer(NamedTuple):
    sender: Sender
    row: list[Any]


def find_offers(db: Session, counts: Mapping[int, int], now: datetime) -> dict[int, list[Offer]]:
    """By broadcast its oldest deliveries that may be sent now, at most as many as `counts` says for it. Their
    rows are locked, so that they stay so until the transaction ends."""
    given = {"now": bulk.stamp(now), "far": bulk.stamp(now + FARTHEST_ATTEMPT)}
    offered: dict[int, list[Offer]] = defaultdict(list)
    for sender, sending in _sending(db, sorted(counts), now).items():
        of_each = [((key, last_id), counts[key]) for key, last_id in sending]
        for row in _ready(sender).fetch(db, of_each, given):
            offered[row[0]].append(Offer(sender, row))
    for offers in offered.values():
        offers.sort(key=lambda offer: offer.row[DELIVERY_ID])
    return offered


def _sending(db: Session, broadcast_ids: list[int], now: datetime) -> dict[Sender, list[tuple[int, int]]]:
    """Those that may send, and the last delivery of each that may: of a first part that is still to be judged
    it is the last of that. Locked for sharing: whoever ends one waits for us, or we see that it has ended."""
    rows = _locking().fetch(db, bulk.bound_ids(broadcast_ids)) if broadcast_ids else []
    found: dict[Sender, list[tuple[int, int]]] = defaultdict(list)
    for broadcast_id, state, best_before, name, last_id in rows:
        until = bulk.moment(best_before) if best_before else None
        is_sending = state == BroadcastState.SENDING and not is_too_late(until, now)
        if is_sending and (sender := registry.find(name)) is not None:
            found[sender].append((broadcast_id, last_id))
    return found


@cache
def _locking() -> bulk.CompiledQuery:
    wanted = select(
        col(Broadcast.id),
        col(Broadcast.state),
        col(Broadcast.best_before),
        col(Broadcast.sender),
        canary.last_that_may_be_sent(),
    )
    chosen = col(Broadcast.id).in_(bulk.rows_given(_ID))
    in_order = wanted.where(chosen).order_by(col(Broadcast.id))
    return bulk.CompiledQuery(in_order.with_for_update(read=True, skip_locked=True))


@cache
def _ready(sender: Sender) -> bulk.ForEach:
    """What may be sent of each broadcast of that sender, oldest first."""

    def of_one(given: Any) -> Any:
        now, far = bindparam("now", type_=UtcTime), bindparam("far", type_=UtcTime)
        return (
            sender.with_needs(select(*OWN_COLUMNS))
            .outerjoin(Customer, col(Customer.id) == col(Delivery.customer_id))  # forgotten: it ends here
            .where(
                col(Delivery.broadcast_id) == given.broadcast,
                col(Delivery.id) <= given.last_id,
                col(Delivery.state) == bulk.constant(DeliveryState.QUEUED),
                is_due(col(Delivery.next_try_at), now, far),
            )
            .order_by(col(Delivery.id))
            .with_for_update(key_share=True, skip_locked=True, of=Delivery)
        )

    return bulk.ForEach({"broadcast": BigInteger(), "last_id": BigInteger()}, of_one)
