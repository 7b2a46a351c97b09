"""The states of a broadcast, and why it pauses. Its transitions are in transitions.py."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class BroadcastState(StrEnum):
    DRAFT = "draft"  # being composed
    SCHEDULED = "scheduled"  # waits for its time
    SENDING = "sending"  # messages go out, while the rest of a large audience is still added
    PAUSED = "paused"  # nothing goes out until somebody resumes it, or its fanpage is repaired
    FINISHED = "finished"  # every delivery has ended
    CANCELLED = "cancelled"  # ended by staff; unused opt-ins were released
    MISSED = "missed"  # its best-before passed before it could start; a person decides


FAILED_MUCH = "failed_much"  # how a finished broadcast with many failures looks; no state of its own
CANARY_FAILED = "canary_failed"  # pause code: too many of the first part failed; staff look at it first

OTN_OFF = "otn_off"  # pause code: staff switched one-time notifications off for the fanpage

_ALIKE = "alike:"  # pause code: the last deliveries were all refused for the reason that follows


def alike_code(reason: str) -> str:
    return _ALIKE + reason


def alike_reason(pause_code: str | None) -> str | None:
    """The reason for which the breaker paused a broadcast; None when it did not."""
    return pause_code.removeprefix(_ALIKE) if pause_code and pause_code.startswith(_ALIKE) else None


def waits_for_repair(pause_code: str | None) -> bool:
    """Whether a broadcast was paused because its fanpage was stopped, so that it goes on with the fanpage.
    One that a person has to look at does not."""
    return pause_code not in (None, CANARY_FAILED, OTN_OFF) and alike_reason(pause_code) is None


def is_too_late(best_before: datetime | None, now: datetime) -> bool:
    return best_before is not None and now >= best_before
