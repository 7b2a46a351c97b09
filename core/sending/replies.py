"""Sends the bot's replies by PSID, inside the 24-hour window, in order for each customer, each at most once.

A message by PSID has no token that guards it against being sent twice, so after an attempt with an unknown
outcome it is never sent again on its own.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CursorResult,
    Integer,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlmodel import Session, col

from core.conversation.rules import ReplyState, personalise
from core.customers import marks
from core.customers.profiles import store_profile
from core.db import bulk, row_locks
from core.db.engine import transaction, wait_for_locks
from core.db.tables import Customer, Reply, UtcTime
from core.deliveries import recent_outcomes
from core.deliveries.breaker import Ended
from core.deliveries.recent_outcomes import Scope
from core.deliveries.rules import UNREACHABLE_REASONS
from core.installation.heartbeat import SILENT_AFTER, processes_alive
from core.messenger import connection_check, wire
from core.messenger.client import Accepted, Answer, Messenger, Profile
from core.messenger.errors import Failure, NextStep
from core.sending import breaker_trip, consequences
from core.sending.allowance import note_calls
from core.sending.claims import claimed_in_the_future, is_due
from core.sending.outcomes import by_fanpage, failures_of
from core.sending.rules import FARTHEST_ATTEMPT, LEASE, NOT_SENT_SECONDS, set_aside, wait_after

MAX_ATTEMPTS = 5
PATIENCE = "200ms"  # a locked row of one fanpage holds up the others no longer
WINDOW_CLOSED = "window_closed"
_MAY_TURN_OUT_SENT = (ReplyState.SENDING, ReplyState.QUEUED, ReplyState.UNKNOWN)


@dataclass(frozen=True)
class ReplyClaim:
    """One reply that this process holds under a lease, with what it needs to be sent."""

    reply_id: int
    fanpage_id: int
    customer_id: int
    psid: str
    first_name: str | None
    knows_profile: bool
    body: dict[str, Any]
    tries: int
    said: str | None  # the reason of the last refusal, if it is tried again
    worker: str  # with `claimed_at` it tells this claim from any other of the same reply
    taken_at: float  # monotonic
    claimed_at: datetime


@dataclass(frozen=True)
class ReplyOutcome:
    """What became of a claimed reply that was put on the wire."""

    claim: ReplyClaim
    answer: Answer
    profile: Profile | None = None  # asked for on the way
    asked_profile: bool = False
    answered_at: datetime | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the platform took it."""
        return isinstance(self.answer, Accepted)


def waiting(db: Session, counts: Mapping[int, int], *, now: datetime) -> dict[int, list[int]]:
    """The replies that may be claimed, by fanpage: of each customer the oldest, for at most so many customers
    of each fanpage (`counts`). Replies whose 24-hour window has closed end as skipped."""
    found: dict[int, list[int]] = defaultdict(list)
    if counts:
        given = bulk.bound(sorted(counts.items()))
        _skip_closed(db, sorted(counts), now)
        times = {"now": bulk.stamp(now), "far": bulk.stamp(now + FARTHEST_ATTEMPT)}
        for fanpage_id, reply_id in sorted(_first_waiting().fetch(db, {**given, **times})):
            found[fanpage_id].append(reply_id)
    return found


def claim(db: Session, reply_ids: Sequence[int], *, worker: str, now: datetime) -> dict[int, ReplyClaim]:
    """Claim those of these replies that are still queued. Returns the claims by reply id."""
    taken_at = time.monotonic()
    chosen = col(Reply.id).in_(bulk.among(sorted(reply_ids)))
    ids = db.execute(
        update(Reply)
        .where(chosen, _is(ReplyState.QUEUED))
        .values(state=ReplyState.SENDING, claimed_at=now, claimed_by=worker, lease_until=now + LEASE)
        .returning(col(Reply.id))
        .execution_options(synchronize_session=False)
    ).scalars()
    rows = db.execute(
        select(Reply, Customer)
        .join(Customer, col(Customer.id) == col(Reply.customer_id))
        .where(col(Reply.id).in_(ids.all()))
    )
    return {reply.id or 0: _claim(reply, customer, worker, taken_at, now) for reply, customer in rows}


def _claim(reply: Reply, customer: Customer, worker: str, taken_at: float, now: datetime) -> ReplyClaim:
    return ReplyClaim(
        reply_id=reply.id or 0,
        fanpage_id=reply.fanpage_id,
        customer_id=reply.customer_id,
        psid=customer.psid,
        first_name=customer.first_name,
        knows_profile=customer.profile_at is not None,
        body=reply.body,
        tries=reply.tries,
        said=reply.reason,
        worker=worker,
        taken_at=taken_at,
        claimed_at=now,
    )


def _is(state: ReplyState) -> Any:
    return col(Reply.state) == state


@cache
def _first_waiting() -> bulk.CompiledStatement:
    """The first reply of each customer, if it is due: a customer's replies keep their order."""
    given = bulk.rows_given({"fanpage": BigInteger(), "count": Integer()}).subquery()
    first = (
        select(func.min(col(Reply.id)))
        .where(
            col(Reply.fanpage_id).in_(select(given.c.fanpage)),
            bulk.one_of(col(Reply.state), [ReplyState.QUEUED, ReplyState.SENDING]),
        )
        .group_by(col(Reply.customer_id))
    )
    now, far = bindparam("now", type_=UtcTime), bindparam("far", type_=UtcTime)
    place = func.row_number().over(partition_by=col(Reply.fanpage_id), order_by=col(Reply.id))
    ranked = (
        select(col(Reply.id), col(Reply.fanpage_id), place.label("place"))
        .where(col(Reply.id).in_(first), _is(ReplyState.QUEUED), is_due(col(Reply.next_try_at), now, far))
        .subquery()
    )
    chosen = select(ranked.c.fanpage_id, ranked.c.id).join(given, given.c.fanpage == ranked.c.fanpage_id)
    return bulk.CompiledStatement(bulk.packed(chosen.where(ranked.c.place <= given.c.count)))


def _skip_closed(db: Session, fanpage_ids: Sequence[int], now: datetime) -> None:
    """Queued replies to customers whose 24-hour window has closed end as skipped."""
    open_for = select(col(Customer.id)).where(
        col(Customer.id) == col(Reply.customer_id), col(Customer.window_closes_at) > now
    )
    theirs = col(Reply.fanpage_id).in_(bulk.among(fanpage_ids))
    db.execute(
        update(Reply)
        .where(theirs, _is(ReplyState.QUEUED), ~open_for.exists())
        .values(state=ReplyState.SKIPPED, reason=WINDOW_CLOSED, settled_at=now)
        .execution_options(synchronize_session=False)
    )


def send_reply(messenger: Messenger, claim: ReplyClaim) -> ReplyOutcome:
    """Send one reply; before that ask for the customer's name, if the text needs it and it was never asked
    for. Does not raise for a send: what went wrong is the answer."""
    name, profile, asked = claim.first_name, None, False
    if not claim.knows_profile and "{{" in json.dumps(claim.body):
        asked, profile = True, messenger.profile(claim.psid)
        name = profile.first_name if profile else name
    answer = messenger.send(wire.send_to_psid(claim.psid, personalise(claim.body, name)))
    (judged,) = connection_check.attribute_refusals(messenger, [answer])
    return ReplyOutcome(claim, judged, profile, asked)


def settle_replies(outcomes: Sequence[ReplyOutcome], *, now: datetime) -> None:
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
        consequences.lock_what_stops(db, failures)
        row_locks.lock_customers(db, {o.claim.customer_id for o in every})
        ended = _settle_each(db, every, now)
        marks.record_acceptances(db, [_accepted(o.claim) for o in every if o.is_accepted])
        consequences.follow_up(db, failures, now)
        note_calls(db, {key: len(of_one) for key, of_one in charged.items()}, now=now)
        noted = recent_outcomes.note(db, {(Scope.REPLIES, key): ended.get(key, []) for key in charged})
    breaker_trip.judge_fanpages(
        {key: {each: noted[each] for each in [(Scope.REPLIES, key)] if each in noted} for key in charged},
        stopped={key for key, of_one in failures.items() if consequences.are_firm(of_one)},
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
        blame = marks.UnreachableAnswer(
            outcome.claim.customer_id, None, str(values["reason"]), values["detail"], at
        )
        _give_up_on(db, blame, now)
    if values["state"] not in (ReplyState.SENT, ReplyState.FAILED):
        return []
    return [Ended(values["reason"], 0, 0, outcome.claim.customer_id)]


def _accepted(claim: ReplyClaim) -> marks.Acceptance:
    """Who was reached, and when it was claimed, which is a little before the call."""
    return marks.Acceptance(claim.fanpage_id, claim.customer_id, claim.claimed_at)


def _is_held_by(claim: ReplyClaim) -> ColumnElement[bool]:
    return and_(
        _is(ReplyState.SENDING),
        col(Reply.claimed_by) == claim.worker,
        col(Reply.claimed_at) == claim.claimed_at,
    )


def _values(outcome: ReplyOutcome, now: datetime) -> dict[str, Any]:
    """What an outcome changes in the reply's row."""
    answer, tries = outcome.answer, outcome.claim.tries
    if isinstance(answer, Accepted):
        return {"state": ReplyState.SENT, "mid": answer.mid[:200], "reason": None, "settled_at": now}
    said = {"reason": answer.reason, "detail": answer.detail or None}
    match answer.step:
        case NextStep.IN_DOUBT:
            return {"state": ReplyState.UNKNOWN, "settled_at": now, **said}
        case NextStep.RETRY_LATER | NextStep.PERSON_OR_ACCOUNT if tries + 1 < MAX_ATTEMPTS:
            due = now + wait_after(tries + 1)
            return {"state": ReplyState.QUEUED, "tries": tries + 1, "next_try_at": due, **said}
        case NextStep.SLOW_DOWN | NextStep.NOT_SENT | NextStep.STOP_FANPAGE:
            due = now + timedelta(seconds=NOT_SENT_SECONDS)
            return {"state": ReplyState.QUEUED, "next_try_at": due, **said}
        case _:
            return {"state": ReplyState.FAILED, "settled_at": now, **said}


def _give_up_on(db: Session, blame: marks.UnreachableAnswer, now: datetime) -> None:
    """Mark a customer who cannot be reached, and skip the other replies that wait for them."""
    marks.mark_unreachable(db, [blame])
    db.execute(
        update(Reply)
        .where(col(Reply.customer_id) == blame.customer_id, _is(ReplyState.QUEUED))
        .values(state=ReplyState.SKIPPED, reason=blame.code, settled_at=now)
        .execution_options(synchronize_session=False)
    )


def hand_back_replies(claims: Sequence[ReplyClaim]) -> None:
    """Queue again the replies that were never put on the wire. Waits for a claim that is still being
    committed; a claim that is not ours any more changes nothing."""
    if not claims:
        return
    with transaction() as db:
        wait_for_locks(db, PATIENCE)
        row_locks.lock_replies(db, {claim.reply_id for claim in claims})
        for claim in sorted(claims, key=lambda each: each.reply_id):
            db.execute(
                update(Reply)
                .where(col(Reply.id) == claim.reply_id, _is_held_by(claim))
                .values(state=ReplyState.QUEUED, lease_until=None, claimed_by=None)
                .execution_options(synchronize_session=False)
            )


def end_lost_replies(*, now: datetime) -> int:
    """Replies whose worker is silent or whose lease has run out end as unknown: they may have been sent, so
    they are not sent again. Returns how many."""
    silent = (col(Reply.claimed_at) < now - SILENT_AFTER) & (
        col(Reply.claimed_by).is_(None) | col(Reply.claimed_by).not_in(processes_alive(now))
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
