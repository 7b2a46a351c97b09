"""What echoes, deliveries and reads prove about what we sent; inside the inbox's transaction.

A later fact never moves a delivery backwards, and it may arrive before our own settle: watermarks are kept
on the customer, and the settle looks at them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, update
from sqlmodel import Session, col

from core.broadcasts.rules import DeliveryState
from core.consent import ledger
from core.tables import Customer, Delivery, Reply

ECHO = "echo"
_METADATA = re.compile(r"^otn\.delivery\.(\d{1,18})$")


def metadata_of(delivery_id: int) -> str:
    """What a broadcast's message carries so that its echo leads back to the delivery."""
    return f"otn.delivery.{delivery_id}"


def note_echo(
    db: Session,
    *,
    fanpage_id: int,
    psid: str,
    mid: str,
    metadata: str | None,
    at: datetime,
) -> bool:
    """The platform shows us our own message: that delivery reached the thread, whatever we knew of it."""
    found = _METADATA.match(metadata or "")
    if not found:
        return False
    delivery = db.execute(
        select(Delivery)
        .join(Customer, col(Customer.id) == col(Delivery.customer_id))
        .where(
            col(Delivery.id) == int(found[1]),
            col(Customer.fanpage_id) == fanpage_id,
            col(Customer.psid) == psid,
        )
    ).scalar_one_or_none()
    if delivery is None:
        return False
    delivery.mid = delivery.mid or mid[:200]
    if delivery.state in (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN):
        delivery.state = DeliveryState.SENT
        delivery.evidence = ECHO
        delivery.reason = None
        delivery.settled_at = at
        ledger.spend(db, [delivery.opt_in_id], now=at)
    return True


def note_delivered(
    db: Session,
    *,
    fanpage_id: int,
    psid: str,
    mids: Sequence[str],
    watermark_at: datetime | None,
    at: datetime,
) -> None:
    """Messages reached the customer's device: those named, and all older than the watermark."""
    customer_id = _customer(db, fanpage_id, psid)
    if customer_id is None:
        return
    if watermark_at:
        _raise_watermark(db, customer_id, "delivered_watermark", watermark_at)
    for table in (Delivery, Reply):
        named: ColumnElement[bool] = col(table.mid).in_(list(mids)[:100])
        if watermark_at:
            named = or_(named, col(table.claimed_at) <= watermark_at)
        db.execute(
            update(table)
            .where(
                col(table.customer_id) == customer_id,
                col(table.state) == "sent",
                col(table.delivered_at).is_(None),
                named,
            )
            .values(delivered_at=watermark_at or at)
            .execution_options(synchronize_session=False)
        )


def note_read(db: Session, *, fanpage_id: int, psid: str, watermark_at: datetime) -> None:
    """The customer has read everything older than the watermark (a lower bound: some never report)."""
    customer_id = _customer(db, fanpage_id, psid)
    if customer_id is None:
        return
    _raise_watermark(db, customer_id, "read_watermark", watermark_at)
    for table in (Delivery, Reply):
        db.execute(
            update(table)
            .where(
                col(table.customer_id) == customer_id,
                col(table.state) == "sent",
                col(table.read_at).is_(None),
                col(table.claimed_at) <= watermark_at,
            )
            .values(read_at=watermark_at)
            .execution_options(synchronize_session=False)
        )


def _customer(db: Session, fanpage_id: int, psid: str) -> int | None:
    return db.execute(
        select(col(Customer.id)).where(col(Customer.fanpage_id) == fanpage_id, col(Customer.psid) == psid)
    ).scalar_one_or_none()


def _raise_watermark(db: Session, customer_id: int, name: str, at: datetime) -> None:
    column = getattr(Customer, name)
    db.execute(
        update(Customer)
        .where(col(Customer.id) == customer_id, or_(column.is_(None), column < at))
        .values({name: at})
        .execution_options(synchronize_session=False)
    )
