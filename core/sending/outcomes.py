"""The outcome of a claim: the delivery or reply as it was claimed, and what the platform answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from core.deliveries.attempts import Attempt
from core.messenger.client import Answer, Profile
from core.messenger.errors import Failure
from core.sending.reply_claims import ReplyClaim
from core.sending.senders.sender import Claim


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claimed delivery that was put on the wire."""

    claim: Claim
    answer: Answer
    started_at: datetime | None = None  # of the call
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReplyOutcome:
    """What became of a claimed reply that was put on the wire."""

    claim: ReplyClaim
    answer: Answer
    profile: Profile | None = None  # asked for on the way
    asked_profile: bool = False
    answered_at: datetime | None = None


class Answered(Protocol):
    """An outcome of a delivery or of a reply; its claim has a `fanpage_id`."""

    @property
    def claim(self) -> Any: ...
    @property
    def answer(self) -> Answer: ...


T = TypeVar("T", bound=Answered)


def by_fanpage(outcomes: Iterable[T]) -> dict[int, list[T]]:
    """The same outcomes by fanpage; fanpages in the order of their ids."""
    found: dict[int, list[T]] = {}
    for each in sorted(outcomes, key=lambda outcome: outcome.claim.fanpage_id):
        found.setdefault(each.claim.fanpage_id, []).append(each)
    return found


def failures_by_fanpage(refused: Iterable[tuple[Claim | ReplyClaim, Failure]]) -> dict[int, list[Failure]]:
    """The refusals of these claims by fanpage."""
    found: dict[int, list[Failure]] = {}
    for claim, failure in refused:
        found.setdefault(claim.fanpage_id, []).append(failure)
    return found


def attempts_worth_keeping(outcomes: Sequence[Outcome]) -> list[Attempt]:
    """The attempts behind these outcomes, but for those that were accepted at the first claim."""
    return [
        Attempt(o.claim.delivery_id, o.claim.claim_number, o.answer, o.started_at, o.answered_at)
        for o in outcomes
        if isinstance(o.answer, Failure) or o.claim.claim_number > 1
    ]
