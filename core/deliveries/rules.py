"""The states of a delivery, why it ended so, and what an answer decides about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"  # waits to be claimed, for the first time or for another attempt
    SENDING = "sending"  # claimed under a lease
    SENT = "sent"  # the platform took it
    FAILED = "failed"  # the platform refused it, or this person cannot be reached
    SKIPPED = "skipped"  # not tried: too late, withdrawn
    UNKNOWN = "unknown"  # it may have arrived, and no attempt is left; staff settle it
    CANCELLED = "cancelled"  # ended by staff before it was tried


# The closing balance: audience = the sum over these.
DELIVERY_STATES: tuple[DeliveryState, ...] = tuple(DeliveryState)
# It may still use its opt-in, or has used it.
LIVE = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
ENDED: frozenset[DeliveryState] = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.FAILED,
        DeliveryState.SKIPPED,
        DeliveryState.UNKNOWN,
        DeliveryState.CANCELLED,
    }
)

# What settled a doubt.
ECHO = "echo"
BY_STAFF = "staff"
ELSEWHERE = "elsewhere"  # the database that was there before a restore knew that it was sent
REFUSED_ON_RETRY = "refused_on_retry"
RETRIED = "accepted_on_retry"

LEASE_RAN_OUT = "lease_ran_out"  # a reason: the worker died, or was silent for too long

# A code nobody knows, or a token sealed with another key: the opt-in is kept until staff decide.
UNDECIDED_REASONS = ("unknown_error", "cannot_open")

# This person cannot be reached: the opt-in is kept, and they are left out until they write again.
UNREACHABLE_REASONS = ("blocked", "gone", "unavailable")


class OptInMove(StrEnum):
    """What happens to the opt-in that is reserved by a delivery."""

    KEEP = "keep"  # it stays reserved by the delivery
    SPEND = "spend"
    RELEASE = "release"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Verdict:
    """What is to become of a delivery and of its opt-in after an answer."""

    state: DeliveryState
    opt_in_move: OptInMove
    reason: str | None = None
    evidence: str | None = None
    detail: str | None = None
    counts_as_attempt: bool = True
    in_doubt: bool = False
    next_try_at: datetime | None = None
