"""The outcome of a claim: the delivery as it was claimed, and what the platform answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.deliveries.attempts import Attempt
from core.messenger.client import Answer
from core.messenger.errors import Failure
from core.sending.claims import Claim


@dataclass(frozen=True)
class Outcome:
    claim: Claim
    answer: Answer
    started_at: datetime | None = None  # of the call
    answered_at: datetime | None = None


def attempts_worth_keeping(outcomes: Sequence[Outcome]) -> list[Attempt]:
    """The attempts behind these outcomes, without what was accepted at the first claim."""
    return [
        Attempt(o.claim.delivery_id, o.claim.attempt, o.answer, o.started_at, o.answered_at)
        for o in outcomes
        if isinstance(o.answer, Failure) or o.claim.attempt > 1
    ]
