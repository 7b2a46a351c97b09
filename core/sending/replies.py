"""Sends the bot's answers by PSID, inside the window, in order per customer, each at most once.

A message by PSID has no guard against doubles, so after an ambiguous try it is never sent again on its own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, func, or_, select, update
from sqlmodel import Session, col

from core import row_locks
from core.broadcasts import recent_outcomes
from core.broadcasts.breaker import Ended
from core.broadcasts.recent_outcomes import Scope
from core.broadcasts.rules import UNREACHABLE_REASONS
from core.conversation.rules import ReplyState, personalise
from core.customers import marks
from core.customers.profiles import keep_profile
from core.database import DATABASE_TROUBLE, transaction
from core.heartbeat import SILENT_AFTER, alive
from core.messenger import line, wire
from core.messenger.client import Accepted, Answer, Messenger, Profile
from core.messenger.errors import Failure, NextStep
from core.sending import trip
from core.sending.allowance import note_calls
from core.sending.claims import PerhapsTaken, claimed_in_the_future, is_due
from core.sending.rules import FARTHEST_TRY, LEASE, NOT_SENT_SECONDS, set_aside, wait_after
from core.sending.settling import follow_up, lock_if_stopped
from core.tables import Customer, Reply

MAX_TRIES = 5
WINDOW_CLOSED = "window_closed"
_MAY_TURN_OUT_SENT = (ReplyState.SENDING, ReplyState.QUEUED, ReplyState.UNKNOWN)


@dataclass(frozen=True)
class ReplyClaim:
    reply_id: int
    customer_id: int
    psid: str
    first_name: str | None
    knows_profile: bool
    body: dict[str, Any]
    tries: int
    said: str | None  # why it is tried again
    worker: str  # with the time: the fence against another claim of the same reply
    claimed_at: datetime


@dataclass(frozen=True)
class ReplyOutcome:
    claim: ReplyClaim
    answer: Answer
    profile: Profile | None = None  # asked for on the way
    asked_profile: bool = False
    answered_at: datetime | None = None

    @property
    def is_accepted(self) -> bool:
        return isinstance(self.answer, Accepted)


def claim_replies(fanpage_id: int, count: int, *, worker: str, now: datetime) -> list[ReplyClaim]:
    """Take the oldest waiting reply of up to `count` customers; what the window closed on is skipped."""
    taken: list[ReplyClaim] = []
    try:
        with transaction() as db:
            _skip_closed(db, fanpage_id, now)
            ids = db.execute(
                update(Reply)
                .where(col(Reply.id).in_(_first_waiting(fanpage_id, count, now)), _is(ReplyState.QUEUED))
                .values(state=ReplyState.SENDING, claimed_at=now, claimed_by=worker, lease_until=now + LEASE)
                .returning(col(Reply.id))
                .execution_options(synchronize_session=False)
            ).scalars()
            rows = db.execute(
                select(Reply, Customer)
                .join(Customer, col(Customer.id) == col(Reply.customer_id))
                .where(col(Reply.id).in_(ids.all()))
                .order_by(col(Reply.id))
            )
            taken = [_claim(reply, customer, worker, now) for reply, customer in rows]
    except DATABASE_TROUBLE as problem:
        if not taken:
            raise
        raise PerhapsTaken(taken) from problem
    return taken


def _claim(reply: Reply, customer: Customer, worker: str, now: datetime) -> ReplyClaim:
    return ReplyClaim(
        reply_id=reply.id or 0,
        customer_id=reply.customer_id,
        psid=customer.psid,
        first_name=customer.first_name,
        knows_profile=customer.profile_at is not None,
        body=reply.body,
        tries=reply.tries,
        said=reply.reason,
        worker=worker,
        claimed_at=now,
    )


def _is(state: ReplyState) -> Any:
    return col(Reply.state) == state


def _first_waiting(fanpage_id: int, count: int, now: datetime) -> Any:
    first = (
        select(func.min(col(Reply.id)))
        .where(
            col(Reply.fanpage_id) == fanpage_id,
            col(Reply.state).in_([ReplyState.QUEUED, ReplyState.SENDING]),
        )
        .group_by(col(Reply.customer_id))
    )
    return (
        select(col(Reply.id))
        .where(
            col(Reply.id).in_(first),
            _is(ReplyState.QUEUED),
            is_due(col(Reply.next_try_at), now, now + FARTHEST_TRY),
        )
        .order_by(col(Reply.id))
        .limit(count)
    )


def _skip_closed(db: Session, fanpage_id: int, now: datetime) -> None:
    open_for = select(col(Customer.id)).where(
        col(Customer.id) == col(Reply.customer_id), col(Customer.window_closes_at) > now
    )
    db.execute(
        update(Reply)
        .where(col(Reply.fanpage_id) == fanpage_id, _is(ReplyState.QUEUED), ~open_for.exists())
        .values(state=ReplyState.SKIPPED, reason=WINDOW_CLOSED, settled_at=now)
        .execution_options(synchronize_session=False)
    )


def send_reply(messenger: Messenger, claim: ReplyClaim) -> ReplyOutcome:
    """One call, and before it the customer's name where the text asks for one. Never raises for a send."""
    name, profile, asked = claim.first_name, None, False
    if not claim.knows_profile and "{{" in json.dumps(claim.body):
        asked, profile = True, messenger.profile(claim.psid)
        name = profile.first_name if profile else name
    answer = messenger.send(wire.send_to_psid(claim.psid, personalise(claim.body, name)))
    (judged,) = line.judged(messenger, [answer])
    return ReplyOutcome(claim, judged, profile, asked)


def settle_replies(fanpage_id: int, outcomes: Sequence[ReplyOutcome], *, now: datetime) -> None:
    """An acceptance always counts, any other outcome only while the claim is ours: repeating it changes
    nothing."""
    if not outcomes:
        return
    outcomes = _charged(outcomes)
    failures = [o.answer for o in outcomes if isinstance(o.answer, Failure)]
    with transaction() as db:
        lock_if_stopped(db, fanpage_id, failures)
        row_locks.lock_customers(db, {o.claim.customer_id for o in outcomes})
        ended = []
        for outcome in sorted(outcomes, key=lambda each: each.claim.reply_id):
            if outcome.asked_profile:
                keep_profile(db, outcome.claim.customer_id, outcome.claim.psid, outcome.profile, now)
            ended += _settle(db, outcome, now)
        marks.note_acceptances(db, [_accepted(fanpage_id, o.claim) for o in outcomes if o.is_accepted])
        follow_up(db, fanpage_id, failures, now)
        note_calls(db, fanpage_id, len(outcomes), now=now)
        noted = recent_outcomes.note(db, {(Scope.REPLIES, fanpage_id): ended})
        is_stopped = any(each.step == NextStep.STOP_FANPAGE for each in failures)
    trip.look(fanpage_id, noted, is_stopped=is_stopped, now=now)


def _charged(outcomes: Sequence[ReplyOutcome]) -> list[ReplyOutcome]:
    """One that has stopped the fanpage before, for the same answer, may be set aside."""
    failures = [o.answer for o in outcomes if isinstance(o.answer, Failure)]
    stops = Counter(each.reason for each in failures if each.step == NextStep.STOP_FANPAGE)
    return [
        replace(o, answer=set_aside(o.answer, alike=stops[o.answer.reason], among=len(outcomes)))
        if isinstance(o.answer, Failure) and o.answer.reason in stops and o.answer.reason == o.claim.said
        else o
        for o in outcomes
    ]


def _settle(db: Session, outcome: ReplyOutcome, now: datetime) -> list[Ended]:
    """What has ended by it, for the breaker."""
    values = _values(outcome, now)
    may_move = (
        col(Reply.state).in_(_MAY_TURN_OUT_SENT)
        if isinstance(outcome.answer, Accepted)
        else _is_held_by(outcome.claim)
    )
    moved = db.execute(
        update(Reply)
        .where(col(Reply.id) == outcome.claim.reply_id, may_move)
        .values(lease_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    if not (isinstance(moved, CursorResult) and moved.rowcount):
        return []  # settled before, taken over, or another's by now
    if values.get("reason") in UNREACHABLE_REASONS:
        at = outcome.answered_at or now
        blame = marks.Refusal(outcome.claim.customer_id, None, str(values["reason"]), values["detail"], at)
        _give_up_on(db, blame, now)
    if values["state"] not in (ReplyState.SENT, ReplyState.FAILED):
        return []
    return [Ended(values["reason"], 0, 0, outcome.claim.customer_id)]


def _accepted(fanpage_id: int, claim: ReplyClaim) -> marks.Acceptance:
    """A claim is older than its call: never too late."""
    return marks.Acceptance(fanpage_id, claim.customer_id, claim.claimed_at)


def _is_held_by(claim: ReplyClaim) -> ColumnElement[bool]:
    return and_(
        _is(ReplyState.SENDING),
        col(Reply.claimed_by) == claim.worker,
        col(Reply.claimed_at) == claim.claimed_at,
    )


def _values(outcome: ReplyOutcome, now: datetime) -> dict[str, Any]:
    answer, tries = outcome.answer, outcome.claim.tries
    if isinstance(answer, Accepted):
        return {"state": ReplyState.SENT, "mid": answer.mid[:200], "reason": None, "settled_at": now}
    said = {"reason": answer.reason, "detail": answer.detail or None}
    match answer.step:
        case NextStep.IN_DOUBT:
            return {"state": ReplyState.UNKNOWN, "settled_at": now, **said}
        case NextStep.RETRY_LATER | NextStep.PERSON_OR_ACCOUNT if tries + 1 < MAX_TRIES:
            due = now + wait_after(tries + 1)
            return {"state": ReplyState.QUEUED, "tries": tries + 1, "next_try_at": due, **said}
        case NextStep.SLOW_DOWN | NextStep.NOT_SENT | NextStep.STOP_FANPAGE:
            due = now + timedelta(seconds=NOT_SENT_SECONDS)
            return {"state": ReplyState.QUEUED, "next_try_at": due, **said}
        case _:
            return {"state": ReplyState.FAILED, "settled_at": now, **said}


def _give_up_on(db: Session, blame: marks.Refusal, now: datetime) -> None:
    marks.mark(db, [blame])
    db.execute(
        update(Reply)
        .where(col(Reply.customer_id) == blame.customer_id, _is(ReplyState.QUEUED))
        .values(state=ReplyState.SKIPPED, reason=blame.code, settled_at=now)
        .execution_options(synchronize_session=False)
    )


def hand_back_replies(claims: Sequence[ReplyClaim]) -> None:
    """Return replies that were never put on the wire; a commit that is still going on is waited for."""
    if not claims:
        return
    with transaction() as db:
        row_locks.lock_replies(db, {claim.reply_id for claim in claims})
        for claim in sorted(claims, key=lambda each: each.reply_id):
            db.execute(
                update(Reply)
                .where(col(Reply.id) == claim.reply_id, _is_held_by(claim))
                .values(state=ReplyState.QUEUED, lease_until=None, claimed_by=None)
                .execution_options(synchronize_session=False)
            )


def end_lost_replies(*, now: datetime) -> int:
    """Replies whose worker died with them: they may have been sent, so they are not sent again."""
    silent = (col(Reply.claimed_at) < now - SILENT_AFTER) & (
        col(Reply.claimed_by).is_(None) | col(Reply.claimed_by).not_in(alive(now))
    )
    is_lost = or_(col(Reply.lease_until) < now, silent, claimed_in_the_future(Reply, now))
    chosen = select(col(Reply.id)).where(_is(ReplyState.SENDING), is_lost).order_by(col(Reply.id))
    with transaction() as db:
        # What is locked is being settled, and so not lost.
        ids = db.execute(chosen.with_for_update(key_share=True, skip_locked=True)).scalars().all()
        lost = db.execute(
            update(Reply)
            .where(col(Reply.id).in_(ids), _is(ReplyState.SENDING))
            .values(state=ReplyState.UNKNOWN, reason="lease_ran_out", settled_at=now, lease_until=None)
            .returning(col(Reply.id))
            .execution_options(synchronize_session=False)
        ).scalars()
        return len(lost.all())
