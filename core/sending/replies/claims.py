"""Claims of the bot's replies: taken in order for each customer, handed back unsent, ended when lost.

A reply is a message by PSID inside the 24-hour window. It has no token that guards it against being sent
twice, so after an attempt with an unknown outcome it is never sent again on its own.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
)
from sqlmodel import Session, col

from core.conversation.rules import ReplyState
from core.db import bulk, row_locks
from core.db.engine import glancing, transaction, wait_for_locks
from core.db.tables import Customer, Reply, UtcTime
from core.deliveries.rules import LEASE_RAN_OUT
from core.sending.claims import LEASE, is_due, is_lost
from core.sending.rules import FARTHEST_ATTEMPT, PATIENCE_OF_ALL

WINDOW_CLOSED, COMMENT_TOO_OLD, OUR_ERROR = "window_closed", "comment_too_old", "our_error"
MAX_ATTEMPTS = 5


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
    begins_answer: bool  # before it the customer sees that we are typing
    counted_attempts: int
    comment_id: str | None  # which it answers in private
    said: str | None  # the reason of the last refusal, if it is tried again
    worker: str  # with `claimed_at` it tells this claim from any other of the same reply
    claimed_steady: float  # monotonic
    claimed_at: datetime
    # Of an answer that waits for the customer's language: nothing is sent.
    begins_with: dict[str, Any] | None = None


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
    claimed_steady = time.monotonic()
    chosen = col(Reply.id).in_(bulk.among(sorted(reply_ids)))
    ids = db.execute(
        bulk.change(Reply, chosen, _is(ReplyState.QUEUED))
        .values(state=ReplyState.SENDING, claimed_at=now, claimed_by=worker, lease_until=now + LEASE)
        .returning(col(Reply.id))
    ).scalars()
    rows = db.execute(
        select(Reply, Customer)
        .join(Customer, col(Customer.id) == col(Reply.customer_id))
        .where(col(Reply.id).in_(ids.all()))
    )
    return {reply.id or 0: _claim(reply, customer, worker, claimed_steady, now) for reply, customer in rows}


def _claim(reply: Reply, customer: Customer, worker: str, claimed_steady: float, now: datetime) -> ReplyClaim:
    return ReplyClaim(
        reply_id=reply.id or 0,
        fanpage_id=reply.fanpage_id,
        customer_id=reply.customer_id,
        psid=customer.psid,
        first_name=customer.first_name,
        knows_profile=customer.profile_at is not None,
        body=reply.body,
        begins_with=reply.begins_with,
        begins_answer=reply.begins_answer,
        counted_attempts=reply.tries,
        comment_id=reply.comment_id,
        said=reply.reason,
        worker=worker,
        claimed_steady=claimed_steady,
        claimed_at=now,
    )


def _is(state: ReplyState) -> Any:
    return col(Reply.state) == state


@cache
def _first_waiting() -> bulk.CompiledQuery:
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
    return bulk.CompiledQuery(chosen.where(ranked.c.place <= given.c.count))


def _skip_closed(db: Session, fanpage_ids: Sequence[int], now: datetime) -> None:
    """Queued replies to customers whose 24-hour window has closed end as skipped, and those to comments that
    are too old."""
    open_for = select(col(Customer.id)).where(
        col(Customer.id) == col(Reply.customer_id), col(Customer.window_closes_at) > now
    )
    theirs = col(Reply.fanpage_id).in_(bulk.among(fanpage_ids))
    is_message = col(Reply.comment_id).is_(None)
    too_late = case((is_message, ~open_for.exists()), else_=col(Reply.comment_until) <= now)
    reason = case((is_message, WINDOW_CLOSED), else_=COMMENT_TOO_OLD)
    db.execute(
        bulk.change(Reply, theirs, _is(ReplyState.QUEUED), too_late).values(
            state=ReplyState.SKIPPED, reason=reason, settled_at=now
        )
    )


def hand_back(claims: Sequence[ReplyClaim]) -> None:
    """Queue again the replies that were never put on the wire. Waits for a claim that is still being
    committed; a claim that is not ours any more changes nothing."""
    if not claims:
        return
    with transaction() as db:
        wait_for_locks(db, PATIENCE_OF_ALL)
        row_locks.lock_replies(db, {claim.reply_id for claim in claims})
        for claim in sorted(claims, key=lambda each: each.reply_id):
            queue_again(db, col(Reply.id) == claim.reply_id, is_claimed_by(claim))


def queue_again(db: Session, *which: ColumnElement[bool]) -> None:
    """Queue claimed replies again as they were, as if they had not been claimed."""
    queued = {"state": ReplyState.QUEUED, "lease_until": None, "claimed_by": None}
    db.execute(bulk.change(Reply, *which).values(**queued))


def end_lost(*, now: datetime) -> int:
    """Replies whose worker is silent or whose lease has run out end as unknown: they may have been sent, so
    they are not sent again. Returns how many. What only waited for a language is queued again for some
    attempts and then fails, so that one which can never begin does not hold back the answers behind it."""
    chosen = select(col(Reply.id)).where(*_lost(now)).order_by(col(Reply.fanpage_id), col(Reply.id))
    with glancing() as db:
        if db.execute(chosen.limit(1)).first() is None:
            return 0
    with transaction() as db:
        # What is locked is being settled, and so not lost.
        ids = db.execute(chosen.with_for_update(key_share=True, skip_locked=True)).scalars().all()
        _count_attempt(db, ids, now)
        lost = db.execute(
            bulk.change(Reply, col(Reply.id).in_(ids), _is(ReplyState.SENDING))
            .values(state=ReplyState.UNKNOWN, reason=LEASE_RAN_OUT, settled_at=now, lease_until=None)
            .returning(col(Reply.id))
        ).scalars()
        return len(lost.all())


def _count_attempt(db: Session, ids: Sequence[int], now: datetime) -> None:
    """Count an attempt of those of these replies that wait for a language, and queue them again or end
    them."""
    is_last = col(Reply.tries) + 1 >= MAX_ATTEMPTS
    db.execute(
        bulk.change(
            Reply, col(Reply.id).in_(ids), _is(ReplyState.SENDING), col(Reply.begins_with).is_not(None)
        ).values(
            state=case((is_last, ReplyState.FAILED), else_=ReplyState.QUEUED),
            reason=case((is_last, OUR_ERROR), else_=None),
            settled_at=case((is_last, literal(now, UtcTime)), else_=None),
            tries=col(Reply.tries) + 1,
            lease_until=None,
            claimed_by=None,
        )
    )


def end_restored(db: Session, *, now: datetime) -> None:
    """In a database restored from a backup, whatever was waiting then ends as unknown: it may have been sent
    since, and nothing guards a reply against being sent twice."""
    waiting = bulk.one_of(col(Reply.state), [ReplyState.QUEUED, ReplyState.SENDING])
    ended = {"state": ReplyState.UNKNOWN, "reason": LEASE_RAN_OUT, "settled_at": now, "lease_until": None}
    db.execute(bulk.change(Reply, waiting).values(**ended))


def _lost(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a reply's claim is lost."""
    # As the index of what waits has it, with whose order SQLite takes it; else it would read all replies.
    waiting = bulk.one_of(col(Reply.state), [ReplyState.QUEUED, ReplyState.SENDING])
    return waiting, _is(ReplyState.SENDING), is_lost(Reply, now)


def is_claimed_by(claim: ReplyClaim) -> ColumnElement[bool]:
    """The condition that a reply is still held by this claim of it."""
    return and_(
        _is(ReplyState.SENDING),
        col(Reply.claimed_by) == claim.worker,
        col(Reply.claimed_at) == claim.claimed_at,
    )
