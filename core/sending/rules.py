"""What an answer means for a delivery: pure decisions, which others record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from core.deliveries.rules import REFUSED_ON_RETRY, RETRIED, DeliveryState, Token, Verdict
from core.messenger.errors import NO_OBJECT, Failure, NextStep

MAX_TRIES = 8
LEASE = timedelta(seconds=60)
WAIT_SECONDS = (1, 2, 4, 8, 16, 30, 60)  # before the second try, the third, …
# A next try farther away than any wait of ours is the trace of a clock that jumped back.
FARTHEST_TRY = timedelta(minutes=5)
NOT_SENT_SECONDS = 2  # the platform could not be reached at all
SET_ASIDE = "set_aside"
FEW = 3  # so many may be refused alike for reasons of their own


def wait_after(tries: int) -> timedelta:
    """How long to wait after this many attempts that counted."""
    return timedelta(seconds=WAIT_SECONDS[min(max(tries, 1), len(WAIT_SECONDS)) - 1])


def accepted(*, in_doubt: bool) -> Verdict:
    """The verdict on an acceptance; one that follows a doubt also settles that doubt."""
    return Verdict(DeliveryState.SENT, Token.SPEND, evidence=RETRIED if in_doubt else None)


def decide(
    failure: Failure, *, tries: int, in_doubt: bool, now: datetime, may_be_the_message: bool = False
) -> Verdict:
    """The verdict on a refusal or a doubt.

    `tries` is how many attempts counted before this one. `in_doubt` says that an earlier attempt may have
    reached the customer; then the token is never given back. `may_be_the_message` says that the message has
    reached nobody and that tokens never in doubt are refused as well, so the refusal proves nothing.
    """
    match failure.step:
        # 100/33 may be said of a person or a fanpage as well: no proof that the token was taken before.
        case NextStep.TOKEN_REFUSED if in_doubt and failure.subcode == NO_OBJECT:
            return _ended(failure, in_doubt)
        case NextStep.TOKEN_REFUSED if in_doubt and may_be_the_message:
            return try_again(failure.reason, failure.detail, tries=tries, in_doubt=True, now=now)
        case NextStep.TOKEN_REFUSED:
            return _token_refused(failure, in_doubt, tries)
        case NextStep.END_DELIVERY:
            return _ended(failure, in_doubt)
        # Said of a person or of the account, and nobody could tell which: another attempt will.
        case NextStep.RETRY_LATER | NextStep.IN_DOUBT | NextStep.PERSON_OR_ACCOUNT:
            doubt = in_doubt or failure.step == NextStep.IN_DOUBT
            return try_again(failure.reason, failure.detail, tries=tries, in_doubt=doubt, now=now)
        case _:
            return _not_its_fault(failure, in_doubt, now)


def set_aside(failure: Failure, *, alike: int, among: int) -> Failure:
    """Turn a refusal that would stop the fanpage again into one that ends this delivery only.

    To be called for a delivery whose refusal stopped the fanpage before, in the same words: if the line
    works, the refusal is about this person. `alike` of `among` outcomes of one settle were refused so; when
    those are more than a few and more than half, it is about the fanpage after all, and the refusal stays as
    it is.
    """
    firm = failure.step == NextStep.STOP_FANPAGE and failure.line_works
    if not firm or (alike > FEW and alike * 2 > among):
        return failure
    return replace(failure, step=NextStep.END_DELIVERY, reason=SET_ASIDE)


def try_again(reason: str, detail: str, *, tries: int, in_doubt: bool, now: datetime) -> Verdict:
    """Back to the queue with a wait. After the last attempt the delivery fails, or is unknown if in doubt."""
    if tries + 1 < MAX_TRIES:
        due = now + wait_after(tries + 1)
        return Verdict(
            DeliveryState.QUEUED, Token.HOLD, reason, None, detail, in_doubt=in_doubt, next_try_at=due
        )
    if in_doubt:
        return Verdict(DeliveryState.UNKNOWN, Token.HOLD, reason, None, detail, in_doubt=True)
    return Verdict(DeliveryState.FAILED, Token.RELEASE, reason, None, detail)


def _token_refused(failure: Failure, in_doubt: bool, tries: int) -> Verdict:
    if in_doubt:
        # A one-time token cannot be used twice: refused now, it was taken then.
        return Verdict(
            DeliveryState.SENT, Token.SPEND, evidence=REFUSED_ON_RETRY, detail=failure.detail, in_doubt=True
        )
    if tries:
        # "Passing fault" was said before, and not of the token: it may have been taken even so.
        return Verdict(
            DeliveryState.UNKNOWN, Token.HOLD, failure.reason, detail=failure.detail, in_doubt=True
        )
    return Verdict(DeliveryState.FAILED, Token.REFUSE, failure.reason, detail=failure.detail)


def _ended(failure: Failure, in_doubt: bool) -> Verdict:
    """The delivery ends as failed, or as unknown if an earlier attempt is in doubt."""
    if in_doubt:  # proves nothing about the first try
        return Verdict(
            DeliveryState.UNKNOWN, Token.HOLD, failure.reason, detail=failure.detail, in_doubt=True
        )
    # A code nobody knows may mean anything, so that token is kept for staff to look at.
    token = Token.HOLD if failure.reason == "unknown_error" else Token.RELEASE
    return Verdict(DeliveryState.FAILED, token, failure.reason, detail=failure.detail)


def _not_its_fault(failure: Failure, in_doubt: bool, now: datetime) -> Verdict:
    """Too fast, unreachable or stopped: back to the queue, and the attempt does not count."""
    return Verdict(
        DeliveryState.QUEUED,
        Token.HOLD,
        failure.reason,
        detail=failure.detail,
        counts_as_try=False,
        in_doubt=in_doubt,
        next_try_at=now + timedelta(seconds=NOT_SENT_SECONDS),  # the fanpage itself is held for longer
    )


def batch_size(rate: float) -> int:
    """Messages per Graph batch call: a twentieth of the rate, half of what may be late at once."""
    return max(1, min(50, int(rate / 20)))
