"""Settles the outcomes of a handful of deliveries in one transaction: states, tokens, customers, fanpage.

An acceptance always counts, whoever holds the delivery now; any other outcome only while the claim is
still ours, or ran out and nobody has tried again since (attempt and state are the fence).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Text,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlmodel import Session, col

from core import activity, row_locks
from core.accounts.rules import SYSTEM
from core.broadcasts import closing
from core.broadcasts.rules import UNREACHABLE_REASONS, BroadcastState, DeliveryState
from core.consent import ledger
from core.database import transaction
from core.messenger.client import Accepted, Answer
from core.messenger.errors import Failure, NextStep
from core.sending import acceptances, allowance, evidence, pace, tries
from core.sending.claims import Claim
from core.sending.rules import (
    BREAKER,
    BREAKING_REASONS,
    LEASE_RAN_OUT,
    NOT_SENT_SECONDS,
    Token,
    Verdict,
    decide,
)
from core.tables import Broadcast, Customer, Delivery, Fanpage

SLOW_DOWN_SECONDS = 2.0  # a hold when the platform names none
ALL_REFUSED = "all_refused"
TOKEN_REFUSED = "token_refused"  # as a reason


@dataclass(frozen=True)
class Outcome:
    claim: Claim
    answer: Answer
    started_at: datetime | None = None  # of the call
    answered_at: datetime | None = None


def settle(fanpage_id: int, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Persist what became of these claims. Repeating it changes nothing."""
    if not outcomes:
        return
    taken = [o for o in outcomes if isinstance(o.answer, Accepted)]
    refused = [(o.claim, o.answer) for o in outcomes if isinstance(o.answer, Failure)]
    with transaction() as db:
        _lock_rows(db, fanpage_id, outcomes, refused)
        acceptances.settle(db, taken, now)
        for claim, failure in sorted(refused, key=lambda each: each[0].in_doubt):
            suspect = _is_proof(claim, failure) and _may_be_the_message(db, claim.broadcast_id)
            verdict = decide(
                failure, tries=claim.tries, in_doubt=claim.in_doubt, now=now, may_be_the_message=suspect
            )
            _settle_refused(db, claim, verdict, now)
        tries.keep(db, outcomes, now=now)
        evidence.catch_up(db, [c.delivery_id for c, failure in refused if _is_proof(c, failure)])
        follow_up(db, fanpage_id, [failure for _, failure in refused], now)
        for broadcast_id in {claim.broadcast_id for claim, _ in refused}:
            _after_refusals(db, broadcast_id, now)
        allowance.note_calls(db, fanpage_id, len(outcomes), now=now)


def _lock_rows(
    db: Session, fanpage_id: int, outcomes: Sequence[Outcome], refused: Sequence[tuple[Claim, Failure]]
) -> None:
    """Before anything moves. What was accepted moves by one statement, in the order of the ids."""
    if not refused:
        return
    lock_if_stopped(db, fanpage_id, [failure for _, failure in refused])
    row_locks.lock_broadcasts(db, {claim.broadcast_id for claim, _ in refused})
    unreachable = [claim for claim, failure in refused if failure.reason in UNREACHABLE_REASONS]
    row_locks.lock_customers(db, {claim.customer_id for claim in unreachable})
    row_locks.lock_deliveries(db, {outcome.claim.delivery_id for outcome in outcomes})


def lock_if_stopped(db: Session, fanpage_id: int, failures: Sequence[Failure]) -> None:
    if any(failure.step == NextStep.STOP_FANPAGE for failure in failures):
        row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.SENDING)


def _is_proof(claim: Claim, failure: Failure) -> bool:
    return claim.in_doubt and failure.step == NextStep.TOKEN_REFUSED


def _may_be_the_message(db: Session, broadcast_id: int) -> bool:
    """Nobody is known to have got it, and a token that was never in doubt was refused just like this one."""
    mine = col(Delivery.broadcast_id) == broadcast_id
    reached = exists().where(mine, col(Delivery.state) == DeliveryState.SENT, col(Delivery.mid).is_not(None))
    alike = exists().where(
        mine, col(Delivery.state) == DeliveryState.FAILED, col(Delivery.reason) == TOKEN_REFUSED
    )
    return bool(db.execute(select(alike & ~reached)).scalar_one())


def _settle_refused(db: Session, claim: Claim, verdict: Verdict, now: datetime) -> None:
    ended = verdict.state != DeliveryState.QUEUED
    moved = db.execute(
        update(Delivery)
        .where(
            col(Delivery.id) == claim.delivery_id,
            col(Delivery.attempt) == claim.attempt,
            or_(col(Delivery.state) == DeliveryState.SENDING, _ran_out(ended)),
        )
        .values(
            state=verdict.state,
            reason=verdict.reason,
            evidence=verdict.evidence,
            detail=_unless_forgotten(verdict.detail or None),
            tries=claim.tries + (1 if verdict.counts_as_try else 0),
            in_doubt=verdict.in_doubt,
            next_try_at=verdict.next_try_at,
            settled_at=now if ended else None,
            lease_until=None,
        )
        .execution_options(synchronize_session=False)
    )
    if not (isinstance(moved, CursorResult) and moved.rowcount):
        return  # taken over, or an echo settled it: not ours to end
    _move_token(db, claim, verdict, now)
    if verdict.state == DeliveryState.FAILED and verdict.reason in UNREACHABLE_REASONS:
        db.execute(
            update(Customer)
            .where(col(Customer.id) == claim.customer_id)
            .values(unreachable_code=verdict.reason, unreachable_at=now)
        )


def _unless_forgotten(said: str | None) -> ColumnElement[str]:
    """What leads to a person is not kept when they were forgotten meanwhile."""
    return case((col(Delivery.customer_id).is_not(None), literal(said, Text)))


def _ran_out(ended: bool) -> ColumnElement[bool]:
    """The answer comes late, but it clears the doubt. What has ended is not queued again by it."""
    states = (DeliveryState.QUEUED, DeliveryState.UNKNOWN) if ended else (DeliveryState.QUEUED,)
    return and_(col(Delivery.state).in_(states), col(Delivery.reason) == LEASE_RAN_OUT)


def _move_token(db: Session, claim: Claim, verdict: Verdict, now: datetime) -> None:
    match verdict.token:
        case Token.SPEND:
            ledger.spend(db, [claim.opt_in_id], now=now)
        case Token.RELEASE:
            ledger.release(db, [claim.opt_in_id], now=now)
        case Token.REFUSE:
            ledger.refuse(db, [claim.opt_in_id], now=now)
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
    db.execute(
        update(Broadcast)
        .where(col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.state) == BroadcastState.SENDING)
        .values(state=BroadcastState.PAUSED, pause_code=code, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if isinstance(stopped, CursorResult) and stopped.rowcount:
        activity.record(db, SYSTEM, "fanpage.stop", now=now, fanpage_id=fanpage_id, code=code)


def _after_refusals(db: Session, broadcast_id: int, now: datetime) -> None:
    broadcast = db.get_one(Broadcast, broadcast_id, populate_existing=True)
    if broadcast.state == BroadcastState.CANCELLED:
        closing.end_cancelled(db, broadcast, now)
    elif broadcast.best_before and broadcast.best_before <= now:
        closing.end_queued(db, broadcast_id, DeliveryState.SKIPPED, reason="too_late", now=now)
    elif broadcast.state == BroadcastState.SENDING and _all_turned_down(db, broadcast_id):
        broadcast.state = BroadcastState.CANCELLED
        broadcast.pause_code = ALL_REFUSED
        broadcast.finished_at = broadcast.updated_at = now
        db.flush()
        returned = closing.end_queued(db, broadcast_id, DeliveryState.CANCELLED, reason=ALL_REFUSED, now=now)
        activity.record(
            db,
            SYSTEM,
            "broadcast.stop_itself",
            now=now,
            fanpage_id=broadcast.fanpage_id,
            subject_id=broadcast_id,
            subject=broadcast.name,
            returned=returned,
        )


def _all_turned_down(db: Session, broadcast_id: int) -> bool:
    """The message itself is probably wrong: nobody reached, and the first twenty turned down alike."""
    tally = dict(
        db.execute(
            select(col(Delivery.state), func.count())
            .where(
                col(Delivery.broadcast_id) == broadcast_id,
                col(Delivery.state).in_([DeliveryState.SENT, DeliveryState.FAILED]),
                # Sent without a message id is concluded from a refusal: no proof that the message is fine.
                ((col(Delivery.state) == DeliveryState.SENT) & col(Delivery.mid).is_not(None))
                | col(Delivery.reason).in_(BREAKING_REASONS),
            )
            .group_by(col(Delivery.state))
        ).all()
    )
    return not tally.get(DeliveryState.SENT) and tally.get(DeliveryState.FAILED, 0) >= BREAKER
