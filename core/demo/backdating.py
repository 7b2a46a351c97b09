"""Dates the demo's data back: what was written today becomes what happened then."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import col

from core.conversation.payloads import REQUEST_PAYLOAD
from core.db import bulk
from core.db.engine import transaction
from core.db.tables import (
    Activity,
    Broadcast,
    BroadcastResult,
    Customer,
    Delivery,
    DeliveryAttempt,
    OptIn,
    Request,
)
from core.demo.past import PastRequest

_OF_DELIVERY = ("claimed_at", "settled_at", "delivered_at", "read_at", "clicked_at", "replied_at")
_OF_BROADCAST = ("updated_at", "started_at", "finished_at")  # it was launched under its real date


def record_past_requests(
    fanpage_id: int, asked: Sequence[PastRequest], topics: Mapping[str, int], messages: Mapping[str, int]
) -> list[str]:
    """Record past requests. Returns their payloads in the same order, by which taps find them again."""
    payloads = [REQUEST_PAYLOAD + secrets.token_urlsafe(16) for _ in asked]
    with transaction() as db:
        known = select(col(Customer.psid), col(Customer.id)).where(col(Customer.fanpage_id) == fanpage_id)
        ids = {row.psid: row.id for row in db.execute(known)}
        rows = [
            {
                "fanpage_id": fanpage_id,
                "customer_id": ids[each.psid],
                "topic_id": topics[each.story.topic],
                "message_id": messages[each.story.message],
                "entry_kind": each.entry_kind,
                "entry_value": each.entry_value,
                "title": each.story.promise,
                "after_text": each.story.thanks,
                "payload": payload,
                "created_at": each.at,
            }
            for each, payload in zip(asked, payloads, strict=True)
            if each.psid in ids
        ]
        if rows:
            db.execute(insert(Request), rows)
    return payloads


def date_customers(fanpage_id: int, contacts: Mapping[str, datetime]) -> None:
    """Date customers back to their first contact, and opt-ins to their tap."""
    with transaction() as db:
        db.connection().execute(
            update(Customer)
            .where(col(Customer.fanpage_id) == fanpage_id, col(Customer.psid) == bindparam("their_psid"))
            .values(created_at=bindparam("since")),
            [{"their_psid": psid, "since": at} for psid, at in contacts.items()],
        )
        theirs = bulk.change(OptIn, col(OptIn.fanpage_id) == fanpage_id)
        db.execute(theirs.values(created_at=col(OptIn.consented_at)))


def date_broadcast(broadcast_id: int, earlier: timedelta) -> None:
    """Date a broadcast that has just been sent, with everything that belongs to it, so much earlier."""
    with transaction() as db:
        broadcast = db.get_one(Broadcast, broadcast_id)
        _move(broadcast, _OF_BROADCAST, earlier)
        deliveries = db.scalars(select(Delivery).where(col(Delivery.broadcast_id) == broadcast_id)).all()
        for delivery in deliveries:
            _move(delivery, _OF_DELIVERY, earlier)
        theirs = col(DeliveryAttempt.delivery_id).in_([delivery.id for delivery in deliveries])
        for tried in db.scalars(select(DeliveryAttempt).where(theirs)):
            _move(tried, ("started_at", "answered_at"), earlier)
        marked = col(Customer.unreachable_delivery_id).in_([delivery.id for delivery in deliveries])
        for customer in db.scalars(select(Customer).where(marked)):
            _move(customer, ("unreachable_at", "unreachable_firm_at"), earlier)
        used = [delivery.opt_in_id for delivery in deliveries]
        for opt_in in db.scalars(select(OptIn).where(col(OptIn.id).in_(used))):
            _move(opt_in, ("settled_at",), earlier)
        noted = select(Activity).where(
            col(Activity.subject_id) == broadcast_id, col(Activity.verb).in_(_MACHINE_VERBS)
        )
        for activity in db.scalars(noted):
            _move(activity, ("at",), earlier)
        db.execute(delete(BroadcastResult).where(col(BroadcastResult.broadcast_id) == broadcast_id))


_MACHINE_VERBS = ("broadcast.start", "broadcast.gather", "broadcast.finish")


def _move(row: object, names: Sequence[str], earlier: timedelta) -> None:
    for name in names:
        at = getattr(row, name)
        if at is not None:
            setattr(row, name, at - earlier)
