"""Spends one-time tokens: one message per opt-in, which the platform takes once and never again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select
from sqlmodel import Session, col

from core.consent import ledger as opt_in_ledger
from core.consent.rules import SAFETY_MARGIN, OptInState
from core.db import bulk
from core.db.tables import Delivery, OptIn
from core.deliveries import attempts
from core.deliveries.evidence import metadata_of
from core.deliveries.rules import REFUSED_ON_RETRY, DeliveryState, OptInMove, Verdict
from core.encryption import decrypt_all
from core.messenger.batch import TokenSend
from core.messenger.client import Messenger
from core.messenger.errors import NO_OBJECT, Failure, NextStep
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.messenger.mixed_calls import AddressedSend, MayLeave, send_together
from core.messenger.send_responses import Answer
from core.sending.rules import decide, final_verdict, try_again
from core.sending.senders.sender import Claim, Prepared, Row, shared_message

CANNOT_OPEN = "cannot_open"
TOKEN_REFUSED = "token_refused"  # as a reason


@dataclass(slots=True, repr=False)
class OpenedToken:
    """An opt-in and its token, opened; never changed. No repr: the token is a secret."""

    opt_in_id: int
    token: str


class OneTimeToken:
    name = "one_time_token"
    is_guarded = True

    def with_needs(self, deliveries: Select[Any]) -> Select[Any]:
        return deliveries.add_columns(*needed()).join(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))

    def prepare(self, rows: Sequence[Row], now: datetime) -> list[Prepared]:
        """An opt-in withdrawn or run out since the launch is not used."""
        tokens = decrypt_all([token_sealed or "" for _, token_sealed, *_ in rows])
        return [
            Prepared(self, OpenedToken(row[0], token or ""), _unfit(row, token, now))
            for row, token in zip(rows, tokens, strict=True)
        ]

    def write(self, content_json: str, claim: Claim, link_address: str = "") -> TokenSend:
        message = shared_message(content_json, claim, link_address)
        return TokenSend(claim.needs.token, message, metadata_of(claim.delivery_id))

    def send(
        self, items: Sequence[tuple[Messenger, Any]], mixed_calls: MixedCallSwitch, may_leave: MayLeave
    ) -> list[Answer | None]:
        addressed = [AddressedSend(connection, item) for connection, item in items]
        return send_together(addressed, mixed_calls, may_leave=may_leave)

    def judge(self, db: Session, claim: Claim, failure: Failure, now: datetime) -> Verdict:
        if failure.step != NextStep.TOKEN_REFUSED:
            return decide(failure, counted_attempts=claim.counted_attempts, in_doubt=claim.in_doubt, now=now)
        if claim.in_doubt:
            return _refused_after_doubt(db, claim, failure, now)
        if claim.counted_attempts and not attempts.only_said_of_the_token(db, claim.delivery_id):
            # "Temporary error" was said before, and not of the token: it may have been taken even so.
            return final_verdict(failure, in_doubt=True)
        return Verdict(DeliveryState.FAILED, OptInMove.REFUSE, failure.reason, detail=failure.detail)

    def move(self, db: Session, claims: Sequence[Claim], opt_in_move: OptInMove, now: datetime) -> None:
        ids = [claim.needs.opt_in_id for claim in claims]
        match opt_in_move:
            case OptInMove.SPEND:
                opt_in_ledger.spend(db, ids, now=now)
            case OptInMove.RELEASE:  # what has run out expires from there
                opt_in_ledger.release(db, ids, now=now)
            case OptInMove.REFUSE:
                opt_in_ledger.mark_refused(db, ids, now=now)
            case OptInMove.KEEP:
                pass


def needed() -> tuple[Any, ...]:
    """The columns that this sender needs of a delivery, whose opt-in is joined."""
    opt_in = col(OptIn.id), col(OptIn.token_sealed), col(OptIn.state), col(OptIn.expires_at)
    return *opt_in, col(Delivery.in_doubt).label("doubt")


def _unfit(row: Row, token: str | None, now: datetime) -> Verdict | None:
    _, _, state, expires_at, in_doubt = row
    if state != OptInState.RESERVED:
        return Verdict(DeliveryState.SKIPPED, OptInMove.RELEASE, "withdrawn")
    # In doubt it is tried beyond our margin, up to its real end: then a refusal would prove nothing.
    if bulk.moment(expires_at) <= (now - SAFETY_MARGIN if in_doubt else now):
        return Verdict(DeliveryState.SKIPPED, OptInMove.RELEASE, "expired")
    if not token:  # kept for when the right key is back
        return Verdict(DeliveryState.FAILED, OptInMove.KEEP, CANNOT_OPEN)
    return None


def _refused_after_doubt(db: Session, claim: Claim, failure: Failure, now: datetime) -> Verdict:
    """A one-time token cannot be used twice: refused now, it was taken then."""
    if failure.subcode == NO_OBJECT:  # may be said of a person or a fanpage as well: no proof
        return final_verdict(failure, in_doubt=True)
    if _may_be_the_message(db, claim.broadcast_id):
        return try_again(
            failure.reason, failure.detail, counted_attempts=claim.counted_attempts, in_doubt=True, now=now
        )
    said = failure.detail
    return Verdict(DeliveryState.SENT, OptInMove.SPEND, evidence=REFUSED_ON_RETRY, detail=said, in_doubt=True)


def _may_be_the_message(db: Session, broadcast_id: int) -> bool:
    """Whether the message itself may be at fault: no delivery was accepted, and another token was refused."""
    mine = col(Delivery.broadcast_id) == broadcast_id
    reached = exists().where(mine, col(Delivery.state) == DeliveryState.SENT, col(Delivery.mid).is_not(None))
    alike = exists().where(
        mine, col(Delivery.state) == DeliveryState.FAILED, col(Delivery.reason) == TOKEN_REFUSED
    )
    return bool(db.execute(select(alike & ~reached)).scalar_one())
