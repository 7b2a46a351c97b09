"""Settles the outcomes of replies of any fanpages in one transaction: states, customers, fanpages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col

from core.conversation.rules import ReplyState
from core.customers import unreachable_marks
from core.customers.profiles import store_profile
from core.db import row_locks
from core.db.engine import transaction, wait_for_locks
from core.db.tables import Reply
from core.deliveries import recent_outcomes
from core.deliveries.breaker import Ended
from core.deliveries.recent_outcomes import Scope
from core.deliveries.rules import UNREACHABLE_REASONS
from core.messenger.client import Accepted
from core.messenger.errors import Failure, NextStep
from core.sending import breaker_trip, fanpage_limits
from core.sending.allowance import note_calls
from core.sending.outcomes import ReplyOutcome, by_fanpage, failures_of
from core.sending.reply_claims import ReplyClaim, is_claimed_by
from core.sending.rules import NOT_SENT_SECONDS, set_aside, wait_after

MAX_ATTEMPTS = 5
PATIENCE = "200ms"  # a locked row of one fanpage holds up the others no longer
_MAY_TURN_OUT_SENT = (ReplyState.SENDING, ReplyState.QUEUED, ReplyState.UNKNOWN)


def settle(outcomes: Sequence[ReplyOutcome], *, now: datetime) -> None:
    """Record what became of these claims of any fanpages, then let the breaker judge it.

    An acceptance always counts, any other outcome only while the claim is still ours; repeating it changes
    nothing. Raises whatever the database raises; then nothing is recorded.
    """
    if not outcomes:
        return
    charged = {key: _charged(of_one) for key, of_one in by_fanpage(outcomes).items()}
    failures = {key: failures_of(of_one) for key, of_one in charged.items()}
    every = [each for of_one in charged.values() for each in of_one]
    with transaction() as db:
        wait_for_locks(db, PATIENCE)
        fanpage_limits.lock_what_stops(db, failures)
        row_locks.lock_customers(db, {o.claim.customer_id for o in every})
        ended = _settle_each(db, every, now)
        unreachable_marks.record_acceptances(db, [_accepted(o.claim) for o in every if o.is_accepted])
        fanpage_limits.follow_up(db, failures, now)
        note_calls(db, {key: len(of_one) for key, of_one in charged.items()}, now=now)
        noted = recent_outcomes.note(db, {(Scope.REPLIES, key): ended.get(key, []) for key in charged})
    breaker_trip.judge_fanpages(
        {key: {each: noted[each] for each in [(Scope.REPLIES, key)] if each in noted} for key in charged},
        stopped={key for key, of_one in failures.items() if fanpage_limits.any_stops_fanpage(of_one)},
        now=now,
    )


def _settle_each(db: Session, outcomes: Sequence[ReplyOutcome], now: datetime) -> dict[int, list[Ended]]:
    """Record each outcome. Returns the replies that ended, by fanpage, for the breaker."""
    ended: dict[int, list[Ended]] = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda each: each.claim.reply_id):
        claim = outcome.claim
        if outcome.asked_profile:
            store_profile(db, claim.customer_id, claim.psid, outcome.profile, now)
        ended[claim.fanpage_id] += _settle(db, outcome, now)
    return ended


def _charged(outcomes: Sequence[ReplyOutcome]) -> list[ReplyOutcome]:
    """One fanpage's outcomes. A refusal that stopped the fanpage before, for the same reply, may be set
    aside: then it ends that reply only."""
    stops = Counter(each.reason for each in failures_of(outcomes) if each.step == NextStep.STOP_FANPAGE)
    return [
        replace(o, answer=set_aside(o.answer, alike=stops[o.answer.reason], among=len(outcomes)))
        if isinstance(o.answer, Failure) and o.answer.reason in stops and o.answer.reason == o.claim.said
        else o
        for o in outcomes
    ]


def _settle(db: Session, outcome: ReplyOutcome, now: datetime) -> list[Ended]:
    """Record one outcome. Returns the reply if it ended and the breaker counts it."""
    values = _values(outcome, now)
    may_move = (
        col(Reply.state).in_(_MAY_TURN_OUT_SENT)
        if isinstance(outcome.answer, Accepted)
        else is_claimed_by(outcome.claim)
    )
    moved = db.execute(
        update(Reply)
        .where(col(Reply.id) == outcome.claim.reply_id, may_move)
        .values(lease_until=None, **values)
        .execution_options(synchronize_session=False)
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
    if values["state"] not in (ReplyState.SENT, ReplyState.FAILED):
        return []
    return [Ended(values["reason"], 0, 0, outcome.claim.customer_id)]


def _accepted(claim: ReplyClaim) -> unreachable_marks.Acceptance:
    """Who was reached, and when it was claimed, which is a little before the call."""
    return unreachable_marks.Acceptance(claim.fanpage_id, claim.customer_id, claim.claimed_at)


def _values(outcome: ReplyOutcome, now: datetime) -> dict[str, Any]:
    """What an outcome changes in the reply's row."""
    answer, attempts = outcome.answer, outcome.claim.counted_attempts + 1  # with this one
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
        update(Reply)
        .where(col(Reply.customer_id) == blame.customer_id, col(Reply.state) == ReplyState.QUEUED)
        .values(state=ReplyState.SKIPPED, reason=blame.code, settled_at=now)
        .execution_options(synchronize_session=False)
    )
