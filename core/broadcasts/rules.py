"""Broadcasts and their deliveries as state machines."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class BroadcastState(StrEnum):
    DRAFT = "draft"  # being composed
    SCHEDULED = "scheduled"  # waits for its time
    SENDING = "sending"  # its audience is frozen and being served
    PAUSED = "paused"  # frozen, nothing leaves until somebody resumes it
    FINISHED = "finished"  # every delivery has ended
    CANCELLED = "cancelled"  # ended by staff; what was unsent went back
    MISSED = "missed"  # its best-before passed before it could start; a person decides


class Step(StrEnum):
    """What staff or the clock do to a broadcast."""

    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FINISH = "finish"
    MISS = "miss"


B = BroadcastState
STEPS: dict[Step, tuple[frozenset[BroadcastState], BroadcastState]] = {
    Step.SCHEDULE: (frozenset({B.DRAFT, B.SCHEDULED, B.MISSED}), B.SCHEDULED),
    Step.UNSCHEDULE: (frozenset({B.SCHEDULED, B.MISSED}), B.DRAFT),
    Step.START: (frozenset({B.SCHEDULED}), B.SENDING),
    Step.PAUSE: (frozenset({B.SENDING}), B.PAUSED),
    Step.RESUME: (frozenset({B.PAUSED}), B.SENDING),
    Step.CANCEL: (frozenset({B.DRAFT, B.SCHEDULED, B.SENDING, B.PAUSED, B.MISSED}), B.CANCELLED),
    Step.FINISH: (frozenset({B.SENDING}), B.FINISHED),
    Step.MISS: (frozenset({B.SCHEDULED}), B.MISSED),
}


class DeliveryState(StrEnum):
    QUEUED = "queued"  # waits to be claimed (for the first time, or for another try)
    SENDING = "sending"  # claimed under a lease
    SENT = "sent"  # the platform took it
    FAILED = "failed"  # the platform refused it, or this person cannot be reached
    SKIPPED = "skipped"  # not tried: too late, withdrawn
    UNKNOWN = "unknown"  # tries used up without evidence; staff settle it
    CANCELLED = "cancelled"  # ended by staff before it was tried


# The closing balance: audience = the sum over these.
DELIVERY_STATES: tuple[DeliveryState, ...] = tuple(DeliveryState)
# It may use its opt-in still, or has used it.
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


CANARY_FAILED = "canary_failed"  # pause code: too many of the first part failed; staff look at it first

_ALIKE = "alike:"  # pause code: the last were all refused for the reason that follows
# A code nobody knows, or a token sealed with another key: the opt-in is kept until staff decide.
HELD_REASONS = ("unknown_error", "cannot_open")

# This person cannot be reached: the opt-in is kept, and they are left out until they write again.
UNREACHABLE_REASONS = ("blocked", "gone", "unavailable")


def alike_code(reason: str) -> str:
    return _ALIKE + reason


def alike_reason(pause_code: str | None) -> str | None:
    """Why a broadcast paused itself; None when it did not."""
    return pause_code.removeprefix(_ALIKE) if pause_code and pause_code.startswith(_ALIKE) else None


def waits_for_repair(pause_code: str | None) -> bool:
    """Whether a fanpage's stop paused it: then it goes on with the fanpage. What a person has to look at
    does not."""
    return pause_code not in (None, CANARY_FAILED) and alike_reason(pause_code) is None


def is_too_late(best_before: datetime | None, now: datetime) -> bool:
    return best_before is not None and now >= best_before
