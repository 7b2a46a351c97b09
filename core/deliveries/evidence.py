"""What echoes, delivery and read events prove about what we sent; inside the inbox's transaction.

Such an event never moves a delivery backwards. It may arrive before we have settled the delivery ourselves,
so its watermark is kept on the customer, and the settle reads it (`catch_up`). Why only an echo settles a
doubt: docs/decisions/0018.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select, update
from sqlmodel import Session, col

from core.consent import ledger as opt_in_ledger
from core.db import bulk
from core.db.tables import Customer, Delivery, Reply
from core.deliveries import ledger
from core.deliveries.attempts import last_doubt
from core.deliveries.rules import ECHO, LIVE, RETRIED, DeliveryState
from core.messenger.wire import OUR_MARK

_ID = bulk.columns_of(Delivery, "id")
_METADATA = re.compile(r"^otn\.delivery\.(\d{1,18})$")


def metadata_of(delivery_id: int) -> str:
    """The metadata that a broadcast's message carries, so that its echo leads back to the delivery."""
    return f"{OUR_MARK}delivery.{delivery_id}"


def metadata_of_reply(reply_id: int) -> str:
    """The metadata that a message by PSID carries: its echo shows by it that no colleague wrote it."""
    return f"{OUR_MARK}reply.{reply_id}"


def delivery_of(metadata: str | None) -> int | None:
    """The delivery that this metadata names; None if it is not ours."""
    found = _METADATA.match(metadata or "")
    return int(found[1]) if found else None


def note_echo(
    db: Session, *, fanpage_id: int, psid: str, mid: str, metadata: str | None, at: datetime
) -> bool:
    """Record that the platform echoed a message of ours: that delivery reached the customer's thread,
    whatever we believed. Returns whether the echo is of one of our deliveries to this person."""
    delivery_id = delivery_of(metadata)
    if delivery_id is None:
        return False
    delivery = db.execute(
        select(Delivery)
        .join(Customer, col(Customer.id) == col(Delivery.customer_id))
        .where(
            col(Delivery.id) == delivery_id,
            col(Customer.fanpage_id) == fanpage_id,
            col(Customer.psid) == psid,
        )
        .with_for_update(key_share=True, of=Delivery)  # a settle of ours may be under way
    ).scalar_one_or_none()
    if delivery is None:
        return False
    delivery.mid = delivery.mid or mid[:200]
    if delivery.state != DeliveryState.SENT and _may_turn_out_sent(db, delivery):
        ledger.mark_sent_after_all(db, delivery, evidence=ECHO, at=at)
        _spend(db, delivery, at)
        catch_up(db, [delivery.id or 0])
    return True


def _may_turn_out_sent(db: Session, delivery: Delivery) -> bool:
    """Whether an echo may settle this delivery as sent. Also if we believed it refused, but not once another
    delivery uses the opt-in: that one will find the token used."""
    if not delivery.attempt:
        return False  # of another installation that sends for the same fanpage
    is_open = delivery.state in (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
    if is_open or delivery.opt_in_id is None:
        return True
    live = select(col(Delivery.id)).where(
        col(Delivery.opt_in_id) == delivery.opt_in_id,
        col(Delivery.id) != delivery.id,
        col(Delivery.state).in_(LIVE),
    )
    return db.execute(live.limit(1)).first() is None


def _spend(db: Session, delivery: Delivery, at: datetime) -> None:
    """Spend the opt-in that is reserved by a delivery, whatever its state was: its token was used."""
    if delivery.opt_in_id is None:
        return
    opt_in_ledger.make_available(db, [delivery.opt_in_id], now=at)
    opt_in_ledger.reserve(db, select(col(Delivery.opt_in_id)).where(col(Delivery.id) == delivery.id))
    opt_in_ledger.spend(db, [delivery.opt_in_id], now=at)


def catch_up(db: Session, delivery_ids: Sequence[int]) -> None:
    """Set when these sent deliveries were delivered and read, if that was reported before the settle."""
    if delivery_ids:
        _catching_up().run(db, bulk.bound_ids(delivery_ids))


@cache
def _catching_up() -> bulk.CompiledStatement:
    under_way = _under_way()
    news = {"delivered_at": col(Customer.delivered_watermark), "read_at": col(Customer.read_watermark)}
    is_news = {
        name: and_(getattr(Delivery, name).is_(None), watermark >= under_way)
        for name, watermark in news.items()
    }
    return bulk.CompiledStatement(
        update(Delivery)
        .where(
            col(Delivery.id).in_(bulk.rows_given(_ID)),
            col(Delivery.state) == bulk.constant(DeliveryState.SENT),
            col(Customer.id) == col(Delivery.customer_id),
            or_(*is_news.values()),
        )
        .values({name: case((is_news[name], news[name]), else_=getattr(Delivery, name)) for name in news})
    )


def _under_way() -> ColumnElement[Any]:
    """When the message that the platform took was sent: for an echo its time; for a doubt that was settled
    otherwise the last attempt that may have been taken; else the last claim."""
    concluded = col(Delivery.evidence).is_not(None) & (col(Delivery.evidence) != RETRIED)
    return case(
        (col(Delivery.evidence) == ECHO, col(Delivery.settled_at)),
        (concluded, func.coalesce(last_doubt().scalar_subquery(), col(Delivery.claimed_at))),
        else_=col(Delivery.claimed_at),
    )


def note_delivered(
    db: Session,
    *,
    fanpage_id: int,
    psid: str,
    mids: Sequence[str],
    watermark_at: datetime | None,
    at: datetime,
) -> None:
    """Record that messages reached the customer's device: those named, and all sent before the watermark."""
    customer_id, named = _customer(db, fanpage_id, psid), list(mids)[:100]
    _note(db, "delivered", customer_id, watermark_at, named=named, at=watermark_at or at)


def note_read(db: Session, *, fanpage_id: int, psid: str, watermark_at: datetime) -> None:
    """Record that the customer has read everything sent before the watermark; some devices never say so."""
    _note(db, "read", _customer(db, fanpage_id, psid), watermark_at, named=[], at=watermark_at)


def _customer(db: Session, fanpage_id: int, psid: str) -> int | None:
    return db.execute(
        select(col(Customer.id)).where(col(Customer.fanpage_id) == fanpage_id, col(Customer.psid) == psid)
    ).scalar_one_or_none()


def _note(
    db: Session,
    what: Literal["delivered", "read"],
    customer_id: int | None,
    watermark_at: datetime | None,
    *,
    named: Sequence[str],
    at: datetime,
) -> None:
    if customer_id is None:
        return
    if watermark_at:
        watermark = getattr(Customer, f"{what}_watermark")
        is_news = or_(watermark.is_(None), watermark < watermark_at)
        raised = bulk.change(Customer, col(Customer.id) == customer_id, is_news)
        db.execute(raised.values({watermark: watermark_at}))
    for table, set_out in ((Delivery, _under_way()), (Reply, col(Reply.claimed_at))):
        noted_at = getattr(table, f"{what}_at")
        theirs = col(table.customer_id) == customer_id, col(table.state) == DeliveryState.SENT
        meant = or_(col(table.mid).in_(named), set_out <= watermark_at if watermark_at else false())
        db.execute(bulk.change(table, *theirs, noted_at.is_(None), meant).values({noted_at: at}))
