"""Settles the outcomes of replies of any fanpages in one transaction: states, customers, fanpages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult
from sqlmodel import Session, col

from core.conversation.replies import begin_answer
from core.conversation.rules import ReplyState
from core.customers import unreachable_marks
from core.customers.profiles import store_profile
from core.db import bulk, row_locks
from core.db.engine import transaction, wait_for_locks
from core.db.tables import Reply
from core.deliveries import recent_outcomes
from core.deliveries.breaker import Refusal
from core.deliveries.recent_outcomes import Scope
from core.deliveries.rules import UNREACHABLE_REASONS
from core.messenger.client import Profile
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, Answer
from core.sending.limits import breaker_trip, fanpage_limits
from core.sending.limits.allowance import note_calls
from core.sending.replies.claims import MAX_ATTEMPTS, ReplyClaim, is_claimed_by, queue_again
from core.sending.rules import NOT_SENT_SECONDS, PATIENCE_OF_ALL, set_aside, wait_after

_MAY_TURN_OUT_SENT = (ReplyState.SENDING, ReplyState.QUEUED, ReplyState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ReplyOutcome:
    """What became of a claimed reply; without an answer nothing was sent."""

    claim: ReplyClaim
    answer: Answer | None
    profile: Profile | None = None  # asked for on the way
    asked_profile: bool = False
    answered_at: datetime | None = None

    @property
    def fanpage_id(self) -> int:
        """The fanpage that the claim is of."""
        return self.claim.fanpage_id


def settle(outcomes: Sequence[ReplyOutcome], *, now: datetime) -> None:
    """Record what became of these claims of any fanpages, then let the breaker judge it.

    An acceptance always counts, any other outcome only while the claim is still ours. Raises whatever the
    database raises; then nothing is recorded, unless it was the commit that failed. Repeating it changes no
    reply; only the calls and the outcomes of late are counted again.
    """
    if not outcomes:
        return
    calls = Counter([o.claim.fanpage_id for o in outcomes if o.answer is not None])
    outcomes = _with_some_set_aside(outcomes, calls)
    failures = fanpage_limits.by_fanpage(
        (o.claim, o.answer) for o in outcomes if isinstance(o.answer, Failure)
    )
    with transaction() as db:
        wait_for_locks(db, PATIENCE_OF_ALL)
        fanpage_limits.lock_what_stops(db, failures)
        row_locks.lock_customers(db, {o.claim.customer_id for o in outcomes})
        ended = _settle_each(db, outcomes, now)
        taken = [o.claim for o in outcomes if isinstance(o.answer, Accepted)]
        # When a reply was claimed is a little before the call.
        began = [(claim.fanpage_id, claim.customer_id, claim.claimed_at) for claim in taken]
        unreachable_marks.record_acceptances(db, began, any_marked=True)
        fanpage_limits.follow_up(db, failures, now)
        note_calls(db, calls, now=now)
        recent = recent_outcomes.note(db, {(Scope.REPLIES, key): some for key, some in ended.items()})
    breaker_trip.judge_fanpages(
        {key[1]: {key: each} for key, each in recent.items()},
        stopped=fanpage_limits.stopped_by(failures),
        now=now,
    )


def _settle_each(
    db: Session, outcomes: Sequence[ReplyOutcome], now: datetime
) -> dict[int, list[Refusal | None]]:
    """Record each outcome. Returns the replies that ended, by fanpage, for the breaker; None was sent."""
    ended: dict[int, list[Refusal | None]] = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda each: each.claim.reply_id):
        claim = outcome.claim
        if outcome.asked_profile:
            store_profile(db, claim.customer_id, claim.psid, outcome.profile, now)
        if outcome.answer is None:
            _go_on(db, claim, now)
        else:
            ended[claim.fanpage_id] += _settle(db, outcome, outcome.answer, now)
    return ended


def _with_some_set_aside(outcomes: Sequence[ReplyOutcome], calls: Mapping[int, int]) -> list[ReplyOutcome]:
    """The same outcomes. A refusal that stopped the fanpage before, for the same reply and in the same words,
    may be set aside: then it ends that reply only. `calls` counts the outcomes of each fanpage."""
    stops = Counter(
        (o.claim.fanpage_id, o.answer.reason)
        for o in outcomes
        if isinstance(o.answer, Failure) and o.answer.step == NextStep.STOP_FANPAGE
    )
    return [
        replace(o, answer=set_aside(o.answer, alike=alike, among=calls[o.claim.fanpage_id]))
        if isinstance(o.answer, Failure)
        and o.answer.reason == o.claim.said
        and (alike := stops[o.claim.fanpage_id, o.answer.reason])
        else o
        for o in outcomes
    ]


def _go_on(db: Session, claim: ReplyClaim, now: datetime) -> None:
    """Begin the answer that waited for the customer's language, in the place of the reply that stood for it;
    any other reply is queued again."""
    ours = col(Reply.id) == claim.reply_id, is_claimed_by(claim)
    if claim.begins_with is None:
        queue_again(db, *ours)
    elif db.execute(bulk.remove(Reply, *ours).returning(col(Reply.id))).first() is not None:
        begin_answer(db, claim.fanpage_id, claim.customer_id, claim.begins_with, now)


def _settle(db: Session, outcome: ReplyOutcome, answer: Answer, now: datetime) -> list[Refusal | None]:
    """Record one outcome. Returns what the breaker counts of it, if anything."""
    values = _values(answer, outcome.claim.counted_attempts + 1, now)
    may_move = (
        col(Reply.state).in_(_MAY_TURN_OUT_SENT)
        if isinstance(answer, Accepted)
        else is_claimed_by(outcome.claim)
    )
    moved = db.execute(
        bulk.change(Reply, col(Reply.id) == outcome.claim.reply_id, may_move).values(
            lease_until=None, **values
        )
    )
    if not (isinstance(moved, CursorResult) and moved.rowcount):
        return []  # settled before, taken over, or another's by now
    if outcome.claim.comment_id is not None:
        return []  # a refusal is about the comment: it may have been answered, or be gone
    if values.get("reason") in UNREACHABLE_REASONS:
        at = outcome.answered_at or now
        blame = unreachable_marks.UnreachableAnswer(
            outcome.claim.customer_id, None, str(values["reason"]), values["detail"], at
        )
        _give_up_on(db, blame, now)
    match values["state"]:
        case ReplyState.SENT:
            return [None]
        case ReplyState.FAILED:
            return [Refusal(0, values["reason"], 0, 0, outcome.claim.customer_id)]
        case _:
            return []


def _values(answer: Answer, attempts: int, now: datetime) -> dict[str, Any]:
    """What the answer to so many attempts changes in the reply's row."""
    if isinstance(answer, Accepted):
        return {"state": ReplyState.SENT, "mid": answer.mid[:200], "reason": None, "settled_at": now}
    said = {"reason": answer.reason, "detail": answer.detail or None}
    match answer.step:
        case NextStep.IN_DOUBT:
            return {"state": ReplyState.UNKNOWN, "settled_at": now, **said}
        case NextStep.RETRY_LATER | NextStep.PERSON_OR_ACCOUNT if attempts < MAX_ATTEMPTS:
            due = now + wait_after(attempts)
            return {"state": ReplyState.QUEUED, "tries": attempts, "next_try_at": due, **said}
        case NextStep.SLOW_DOWN | NextStep.NOT_SENT | NextStep.STOP_FANPAGE:
            due = now + timedelta(seconds=NOT_SENT_SECONDS)
            return {"state": ReplyState.QUEUED, "next_try_at": due, **said}
        case _:
            return {"state": ReplyState.FAILED, "settled_at": now, **said}


def _give_up_on(db: Session, blame: unreachable_marks.UnreachableAnswer, now: datetime) -> None:
    """Mark a customer who cannot be reached, and skip the other replies that wait for them."""
    unreachable_marks.mark_unreachable(db, [blame])
    db.execute(
        bulk.change(
            Reply, col(Reply.customer_id) == blame.customer_id, col(Reply.state) == ReplyState.QUEUED
        ).values(state=ReplyState.SKIPPED, reason=blame.code, settled_at=now)
    )
