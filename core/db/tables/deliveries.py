"""The sending of a broadcast to each customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from core.db.tables.columns import BigId, Table, moment, reference, row_id, word
from core.deliveries.rules import DeliveryState


class Delivery(Table, table=True):
    """One broadcast to one customer. States: core/deliveries/rules.py."""

    __tablename__ = "delivery"
    __table_args__ = (
        # Led by the customer, so that it serves their history too. An opt-in is of one customer: a second
        # delivery of it in a broadcast is refused as well.
        UniqueConstraint("customer_id", "broadcast_id"),
        Index("ix_delivery_broadcast_id_state_id", "broadcast_id", "state", "id"),
        Index("ix_delivery_broadcast_id_id", "broadcast_id", "id"),
        Index(
            "ix_delivery_detail",
            "broadcast_id",
            sqlite_where=text("detail IS NOT NULL"),
            postgresql_where=text("detail IS NOT NULL"),
        ),
        Index(
            "ix_delivery_mid",
            "mid",
            sqlite_where=text("mid IS NOT NULL"),
            postgresql_where=text("mid IS NOT NULL"),
        ),
        Index(
            "ix_delivery_lease_until",
            "lease_until",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        # The last guard: an opt-in is in at most one delivery that still may use it or has used it.
        Index(
            "uq_delivery_opt_in_id_live",
            "opt_in_id",
            unique=True,
            sqlite_where=text("state IN ('queued','sending','sent','unknown')"),
            postgresql_where=text("state IN ('queued','sending','sent','unknown')"),
        ),
        CheckConstraint(
            "state IN ('queued','sending','sent','failed','skipped','unknown','cancelled')", name="state"
        ),
    )

    id: int | None = row_id()
    broadcast_id: int = reference("broadcast.id")
    customer_id: int | None = reference("customer.id", nullable=True)
    opt_in_id: int | None = reference(
        "opt_in.id", nullable=True, index=True
    )  # reserved for it: it alone may spend this
    state: str = word(default=DeliveryState.QUEUED)
    reason: str | None = word(64, default=None)  # code of why it stands so, see messenger.reasons
    evidence: str | None = word(64, default=None)  # what settled a doubt
    detail: str | None = Field(default=None, sa_type=Text)  # the platform's answer, without secrets
    sender: str | None = word(32, default=None)  # when it is not the broadcast's: core/sending/senders
    attempt: int = 0  # claims so far, the number of the last; also the fence against a late settle
    tries: int = 0  # attempts that count towards giving up
    in_doubt: bool = False  # an earlier attempt may have reached the platform
    claimed_at: datetime | None = moment()
    claimed_by: str | None = word(120, default=None)  # a worker's Heartbeat.process
    lease_until: datetime | None = moment()
    next_try_at: datetime | None = moment()
    mid: str | None = word(200, default=None)
    settled_at: datetime | None = moment()
    delivered_at: datetime | None = moment()
    read_at: datetime | None = moment()
    clicked_at: datetime | None = moment()  # the first time that a link of it was followed
    clicked_links: int | None = Field(
        default=None, sa_type=BigInteger
    )  # a bit for the place of each: core/clicks
    replied_at: datetime | None = moment()  # when they wrote or tapped a button soon after it


class DeliveryAttempt(Table, table=True):
    """A call for a delivery that was not simply accepted the first time. Rows are only added.

    One claim may leave two: the lease ran out, and the answer came late after all.
    """

    __tablename__ = "delivery_try"
    __table_args__ = (UniqueConstraint("delivery_id", "number", "reason"),)

    id: int | None = row_id()
    delivery_id: int = reference("delivery.id")
    number: int  # Delivery.attempt; gaps are claims that were handed back
    reason: str = word(64)  # a code word of messenger.reasons, "lease_ran_out" or "accepted"
    in_doubt: bool = False  # it may have been taken
    status: int | None = None  # HTTP
    code: int | None = Field(default=None, sa_type=BigInteger)
    subcode: int | None = Field(default=None, sa_type=BigInteger)
    detail: str | None = Field(default=None, sa_type=Text)  # the platform's answer, without secrets
    started_at: datetime = moment(nullable=False)
    answered_at: datetime | None = moment()


class RecentOutcomes(Table, table=True):
    """What the breaker looks at, since counting began: core/deliveries/breaker.py."""

    __tablename__ = "recent_outcomes"

    scope: str = word(primary_key=True)  # broadcast, fanpage or replies
    ref_id: int = Field(primary_key=True, sa_type=BigId)  # of the broadcast or the fanpage
    outcomes: int = Field(default=0, sa_type=BigInteger)  # how many, accepted or not
    # The last of them that were refused: [number, reason, broadcast, delivery, customer]
    refusals: list[list[Any]] = Field(default_factory=list, sa_type=JSON)
