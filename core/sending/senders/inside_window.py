"""An ordinary message by PSID to a customer whose standard messaging window is open. It spends nothing.

A broadcast that spares opt-ins chooses it for each customer (opt_in_saver.py).

Nothing keeps such a message from arriving twice. It rides alone, and after an attempt that may have reached
the customer it is for staff to say whether it goes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from core.consent import withdrawals
from core.db import bulk
from core.db.tables import Broadcast, Customer, Delivery
from core.deliveries.evidence import metadata_of
from core.deliveries.rules import DeliveryState, OptInMove, Verdict
from core.messenger.client import Messenger
from core.messenger.connection_check import attribute_refusals
from core.messenger.errors import Failure, NextStep
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.messenger.mixed_calls import MayLeave
from core.messenger.send_responses import Answer
from core.messenger.wire import Body, send_to_psid, with_metadata
from core.sending.rules import decide, final_verdict
from core.sending.senders.sender import Claim, Prepared, Row, shared_message

WINDOW_CLOSED = "window_closed"


class InsideWindow:
    name = "inside_window"
    is_guarded = False

    def with_needs(self, deliveries: Select[Any]) -> Select[Any]:
        return deliveries.add_columns(*needed())

    def prepare(self, rows: Sequence[Row], now: datetime) -> list[Prepared]:
        return [
            Prepared(self, psid, _unfit(psid, closes_at, has_said_no, now))
            for psid, closes_at, has_said_no in rows
        ]

    def write(self, content_json: str, claim: Claim, link_address: str = "") -> Body:
        message = shared_message(content_json, claim, link_address).message
        return send_to_psid(claim.needs, with_metadata(message, metadata_of(claim.delivery_id)))

    def send(
        self, items: Sequence[tuple[Messenger, Any]], _mixed_calls: MixedCallSwitch, _may_leave: MayLeave
    ) -> list[Answer]:
        return [
            answer
            for connection, body in items
            for answer in attribute_refusals(connection, [connection.send(body)])
        ]

    def judge(self, _db: Session, claim: Claim, failure: Failure, now: datetime) -> Verdict:
        if failure.step == NextStep.IN_DOUBT:
            return final_verdict(failure, in_doubt=True)
        return decide(failure, counted_attempts=claim.counted_attempts, in_doubt=claim.in_doubt, now=now)

    def move(self, db: Session, claims: Sequence[Claim], opt_in_move: OptInMove, now: datetime) -> None:
        """These hold nothing."""


def needed() -> tuple[Any, ...]:
    """The columns that this sender needs of a delivery, whose customer is joined."""
    topic_id = (
        select(col(Broadcast.topic_id))
        .where(col(Broadcast.id) == col(Delivery.broadcast_id))
        .correlate_except(Broadcast)
        .scalar_subquery()
    )
    said_no = withdrawals.has_said_no(col(Delivery.customer_id), topic_id).label("has_said_no")
    return col(Customer.psid), col(Customer.window_closes_at), said_no


def _unfit(psid: str | None, closes_at: str | None, has_said_no: bool, now: datetime) -> Verdict | None:
    if psid is None or has_said_no:  # without a psid: forgotten
        return Verdict(DeliveryState.SKIPPED, OptInMove.KEEP, "withdrawn")
    if closes_at is None or bulk.moment(closes_at) <= now:
        return Verdict(DeliveryState.SKIPPED, OptInMove.KEEP, WINDOW_CLOSED)
    return None
