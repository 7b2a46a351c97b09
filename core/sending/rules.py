"""What an answer means for a delivery: pure decisions, which others record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from core.deliveries.rules import RETRIED, DeliveryState, OptInMove, Verdict
from core.messenger.errors import Failure, NextStep

MAX_ATTEMPTS = 8
WAIT_SECONDS = (1, 2, 4, 8, 16, 30, 60)  # before the second attempt, the third, …
# A next attempt farther away than any wait of ours is the trace of a clock that jumped back.
FARTHEST_ATTEMPT = timedelta(minutes=5)
NOT_SENT_SECONDS = 2  # the platform could not be reached at all
SET_ASIDE = "set_aside"
PATIENCE_OF_ALL = "200ms"  # for a row that somebody keeps locked: all other fanpages wait meanwhile
FEW = 3  # so many may be refused alike for reasons of their own


def wait_after(counted_attempts: int) -> timedelta:
    """How long to wait after this many attempts that counted."""
    return timedelta(seconds=WAIT_SECONDS[min(max(counted_attempts, 1), len(WAIT_SECONDS)) - 1])


def accepted(*, in_doubt: bool) -> Verdict:
    """The verdict on an acceptance; one that follows a doubt also settles that doubt."""
    return Verdict(DeliveryState.SENT, OptInMove.SPEND, evidence=RETRIED if in_doubt else None)


def decide(failure: Failure, *, counted_attempts: int, in_doubt: bool, now: datetime) -> Verdict:
    """What to do about a refusal, as far as it is the same whatever was sent. `counted_attempts`: those
    before this one; `in_doubt`: an earlier one may have reached the customer, so what it holds is never given
    back."""
    match failure.step:
        case NextStep.END_DELIVERY | NextStep.TOKEN_REFUSED:
            return final_verdict(failure, in_doubt)
        # Of a person or the account: nobody has judged it, which is for another attempt.
        case NextStep.RETRY_LATER | NextStep.IN_DOUBT | NextStep.PERSON_OR_ACCOUNT:
            doubt = in_doubt or failure.step == NextStep.IN_DOUBT
            return try_again(
                failure.reason, failure.detail, counted_attempts=counted_attempts, in_doubt=doubt, now=now
            )
        case _:
            return _not_its_fault(failure, in_doubt, now)


def set_aside(failure: Failure, *, alike: int, among: int) -> Failure:
    """Turn a refusal that would stop the fanpage again into one that ends this delivery only.

    To be called for a delivery whose refusal stopped the fanpage before, in the same words: if the connection
    works, the refusal is about this person. `alike` of `among` outcomes of one settle were refused so; when
    those are more than a few and more than half, it is about the fanpage after all, and the refusal stays as
    it is.
    """
    firm = failure.step == NextStep.STOP_FANPAGE and failure.connection_works
    if not firm or (alike > FEW and alike * 2 > among):
        return failure
    return replace(failure, step=NextStep.END_DELIVERY, reason=SET_ASIDE)


def try_again(reason: str, detail: str, *, counted_attempts: int, in_doubt: bool, now: datetime) -> Verdict:
    """Back to the queue with a wait. After the last attempt the delivery fails, or is unknown if in doubt."""
    if counted_attempts + 1 < MAX_ATTEMPTS:
        due = now + wait_after(counted_attempts + 1)
        return Verdict(
            DeliveryState.QUEUED, OptInMove.KEEP, reason, None, detail, in_doubt=in_doubt, next_try_at=due
        )
    if in_doubt:
        return Verdict(DeliveryState.UNKNOWN, OptInMove.KEEP, reason, None, detail, in_doubt=True)
    return Verdict(DeliveryState.FAILED, OptInMove.RELEASE, reason, None, detail)


def final_verdict(failure: Failure, in_doubt: bool) -> Verdict:
    """The verdict on a delivery that is not retried automatically."""
    if in_doubt:  # proves nothing about the first attempt
        return Verdict(
            DeliveryState.UNKNOWN, OptInMove.KEEP, failure.reason, detail=failure.detail, in_doubt=True
        )
    # A code nobody knows may mean anything, so that opt-in stays reserved until staff decide.
    opt_in_move = OptInMove.KEEP if failure.reason == "unknown_error" else OptInMove.RELEASE
    return Verdict(DeliveryState.FAILED, opt_in_move, failure.reason, detail=failure.detail)


def _not_its_fault(failure: Failure, in_doubt: bool, now: datetime) -> Verdict:
    """Too fast, unreachable or stopped: back to the queue, and the attempt does not count."""
    return Verdict(
        DeliveryState.QUEUED,
        OptInMove.KEEP,
        failure.reason,
        detail=failure.detail,
        counts_as_attempt=False,
        in_doubt=in_doubt,
        next_try_at=now + timedelta(seconds=NOT_SENT_SECONDS),  # the fanpage itself waits for longer
    )
