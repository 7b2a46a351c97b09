"""Settles the outcomes of a handful of deliveries in one transaction: states, tokens, customers, fanpage.

An acceptance always counts, whoever holds the delivery now; any other outcome only while the claim is
still ours, or ran out and nobody has tried again since (attempt and state are the fence).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    CursorResult,
    exists,
    select,
    update,
)
from sqlmodel import Session, col

from core import activity, row_locks
from core.accounts.rules import SYSTEM
from core.broadcasts import recent_outcomes, transitions
from core.broadcasts.breaker import Ended, Recent
from core.broadcasts.recent_outcomes import Key
from core.broadcasts.rules import BroadcastState
from core.consent import ledger as opt_ins
from core.customers import marks
from core.database import transaction
from core.deliveries import attempts, closing, evidence
from core.deliveries import ledger as deliveries
from core.deliveries.rules import UNREACHABLE_REASONS, DeliveryState, Token, Verdict
from core.messenger.client import Accepted
from core.messenger.errors import NO_OBJECT, Failure, NextStep
from core.sending import acceptances, allowance, pace, trip
from core.sending.claims import Claim
from core.sending.outcomes import Outcome, attempts_worth_keeping
from core.sending.rules import NOT_SENT_SECONDS, decide, set_aside
from core.tables import Broadcast, Delivery, Fanpage

SLOW_DOWN_SECONDS = 2.0  # a hold when the platform names none
TOKEN_REFUSED = "token_refused"  # as a reason
# Outcomes that the breaker counts, beside what was accepted; "sent" concluded from a refusal says nothing.
_COUNTED = (DeliveryState.FAILED, DeliveryState.UNKNOWN)


def settle(fanpage_id: int, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Persist what became of these claims, and let the breaker look at it. Repeating it changes nothing."""
    if not outcomes:
        return
    outcomes = sorted(outcomes, key=lambda each: each.answered_at or now)
    noted, is_stopped = _settle(fanpage_id, outcomes, now)
    trip.look(fanpage_id, noted, is_stopped=is_stopped, now=now)


def _settle(fanpage_id: int, outcomes: Sequence[Outcome], now: datetime) -> tuple[dict[Key, Recent], bool]:
    """What the breaker is to look at, and whether the fanpage was stopped."""
    taken = [o for o in outcomes if isinstance(o.answer, Accepted)]
    answered = {o.claim.delivery_id: o.answered_at or now for o in outcomes}
    with transaction() as db:
        refused = _charged(db, outcomes)
        _lock_rows(db, fanpage_id, outcomes, refused)
        acceptances.settle(db, taken, now)
        moved: list[tuple[Claim, Verdict]] = []
        of_token = [c.delivery_id for c, f in refused if f.step == NextStep.TOKEN_REFUSED and c.tries]
        said_before = attempts.only_said_of_the_token(db, of_token)
        for claim, failure in sorted(refused, key=lambda each: each[0].in_doubt):
            known = 0 if claim.delivery_id in said_before else claim.tries
            suspect = _is_proof(claim, failure) and _may_be_the_message(db, claim.broadcast_id)
            verdict = decide(
                failure, tries=known, in_doubt=claim.in_doubt, now=now, may_be_the_message=suspect
            )
            if _settle_refused(db, claim, verdict, now):
                moved.append((claim, verdict))
        marks.mark(db, [_blame(c, v, answered[c.delivery_id]) for c, v in moved if _is_unreachable(v)])
        marks.note_acceptances(db, acceptances.noted(fanpage_id, taken))
        attempts.keep(db, attempts_worth_keeping(outcomes), now=now)
        evidence.catch_up(db, [c.delivery_id for c, failure in refused if _is_proof(c, failure)])
        failures = [failure for _, failure in refused]
        follow_up(db, fanpage_id, failures, now)
        for broadcast_id in {claim.broadcast_id for claim, _ in refused}:
            _after_refusals(db, broadcast_id, now)
        allowance.note_calls(db, fanpage_id, len(outcomes), now=now)
        noted = recent_outcomes.note(db, recent_outcomes.by_key(fanpage_id, _ended(outcomes, moved)))
        stopped = any(each.step == NextStep.STOP_FANPAGE for each in failures)
    return noted, stopped


def _ended(outcomes: Sequence[Outcome], moved: Sequence[tuple[Claim, Verdict]]) -> list[Ended]:
    """What the breaker counts, in the order of the answers."""
    reasons = {o.claim.delivery_id: None for o in outcomes if isinstance(o.answer, Accepted)}
    refused = {c.delivery_id: v.reason for c, v in moved if v.state in _COUNTED}
    known = {**reasons, **refused}
    return [
        Ended(known[c.delivery_id], c.broadcast_id, c.delivery_id, c.customer_id)
        for c in (o.claim for o in outcomes)
        if c.delivery_id in known
    ]


def _charged(db: Session, outcomes: Sequence[Outcome]) -> list[tuple[Claim, Failure]]:
    """The refusals. One that has stopped the fanpage before, for the same delivery, may be set aside."""
    refused = [(o.claim, o.answer) for o in outcomes if isinstance(o.answer, Failure)]
    stops = {c.delivery_id: f for c, f in refused if f.step == NextStep.STOP_FANPAGE and f.line_works}
    again = attempts.refused_before(db, {each: failure.reason for each, failure in stops.items()})
    alike = Counter(failure.reason for failure in stops.values())
    return [
        (c, set_aside(f, alike=alike[f.reason], among=len(outcomes)) if c.delivery_id in again else f)
        for c, f in refused
    ]


def _lock_rows(
    db: Session, fanpage_id: int, outcomes: Sequence[Outcome], refused: Sequence[tuple[Claim, Failure]]
) -> None:
    """Before anything moves. What was accepted moves by one statement, in the order of the ids."""
    taken = {o.claim.customer_id for o in outcomes if isinstance(o.answer, Accepted)}
    if not refused:
        row_locks.lock_customers(db, (), marked=taken)
        return
    lock_if_stopped(db, fanpage_id, [failure for _, failure in refused])
    row_locks.lock_broadcasts(db, {claim.broadcast_id for claim, _ in refused})
    unreachable = [claim for claim, failure in refused if failure.reason in UNREACHABLE_REASONS]
    row_locks.lock_customers(db, {claim.customer_id for claim in unreachable}, marked=taken)
    row_locks.lock_deliveries(db, {outcome.claim.delivery_id for outcome in outcomes})


def lock_if_stopped(db: Session, fanpage_id: int, failures: Sequence[Failure]) -> None:
    if any(failure.step == NextStep.STOP_FANPAGE for failure in failures):
        row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.SENDING)


def _is_proof(claim: Claim, failure: Failure) -> bool:
    return claim.in_doubt and failure.step == NextStep.TOKEN_REFUSED and failure.subcode != NO_OBJECT


def _may_be_the_message(db: Session, broadcast_id: int) -> bool:
    """Nobody is known to have got it, and a token that was never in doubt was refused just like this one."""
    mine = col(Delivery.broadcast_id) == broadcast_id
    reached = exists().where(mine, col(Delivery.state) == DeliveryState.SENT, col(Delivery.mid).is_not(None))
    alike = exists().where(
        mine, col(Delivery.state) == DeliveryState.FAILED, col(Delivery.reason) == TOKEN_REFUSED
    )
    return bool(db.execute(select(alike & ~reached)).scalar_one())


def _settle_refused(db: Session, claim: Claim, verdict: Verdict, now: datetime) -> bool:
    """Whether it was ours to settle."""
    settled = deliveries.settle_refused(
        db, claim.delivery_id, verdict, attempt=claim.attempt, tries=claim.tries, now=now
    )
    if not settled:
        return False  # taken over, or an echo settled it: not ours to end
    _move_token(db, claim, verdict, now)
    return True


def _is_unreachable(verdict: Verdict) -> bool:
    return verdict.state == DeliveryState.FAILED and verdict.reason in UNREACHABLE_REASONS


def _blame(claim: Claim, verdict: Verdict, at: datetime) -> marks.Refusal:
    return marks.Refusal(claim.customer_id, claim.delivery_id, verdict.reason or "", verdict.detail, at)


def _move_token(db: Session, claim: Claim, verdict: Verdict, now: datetime) -> None:
    match verdict.token:
        case Token.SPEND:
            opt_ins.spend(db, [claim.opt_in_id], now=now)
        case Token.RELEASE:
            opt_ins.release(db, [claim.opt_in_id], now=now)
        case Token.REFUSE:
            opt_ins.refuse(db, [claim.opt_in_id], now=now)
        case Token.HOLD:
            pass


def follow_up(db: Session, fanpage_id: int, failures: Sequence[Failure], now: datetime) -> None:
    """What the refusals say about the whole fanpage."""
    at = now.timestamp()
    slow = [f for f in failures if f.step == NextStep.SLOW_DOWN]
    if slow:
        longest = max(f.retry_after_seconds or SLOW_DOWN_SECONDS for f in slow)
        pace.slow_down(db, fanpage_id, at=at, hold_seconds=longest)
    if any(f.step == NextStep.NOT_SENT for f in failures):
        pace.hold(db, fanpage_id, at=at, seconds=NOT_SENT_SECONDS)
    stops = [f for f in failures if f.step == NextStep.STOP_FANPAGE]
    if stops:
        stop_fanpage(db, fanpage_id, stops[0].reason, now=now)


def stop_fanpage(db: Session, fanpage_id: int, code: str, *, now: datetime) -> None:
    """Pause everything of a fanpage that Messenger has stopped, until a person repairs it."""
    stopped = db.execute(
        update(Fanpage)
        .where(col(Fanpage.id) == fanpage_id, col(Fanpage.stopped_code).is_(None))
        .values(stopped_code=code, stopped_at=now)
        .execution_options(synchronize_session=False)
    )
    transitions.stop_all_of(db, fanpage_id, code, now=now)
    if isinstance(stopped, CursorResult) and stopped.rowcount:
        activity.record(db, SYSTEM, "fanpage.stop", now=now, fanpage_id=fanpage_id, code=code)


def _after_refusals(db: Session, broadcast_id: int, now: datetime) -> None:
    broadcast = db.get_one(Broadcast, broadcast_id, populate_existing=True)
    if broadcast.state == BroadcastState.CANCELLED:
        closing.end_cancelled(db, broadcast, now)
    elif broadcast.best_before and broadcast.best_before <= now:
        closing.end_queued(db, broadcast_id, DeliveryState.SKIPPED, reason="too_late", now=now)
