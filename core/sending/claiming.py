"""Claim before send: one transaction claims, for all fanpages, what leaves next and moves their send slots.

A worker holds what it claims under a lease (claims.py). A broadcast that somebody is just changing is not
waited for: it is left for the next turn, and the others go on.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Integer, and_, bindparam, or_, select
from sqlmodel import Session, col

from core.broadcasts import canary
from core.broadcasts.rules import BroadcastState, is_too_late
from core.consent import ledger as opt_ins
from core.consent.rules import SAFETY_MARGIN, OptInState
from core.database import DATABASE_TROUBLE, transaction
from core.db import bulk
from core.deliveries import ledger as deliveries
from core.deliveries.rules import DeliveryState
from core.sealing import unseal_all
from core.sending import rate_limiter, replies, timetable
from core.sending.claims import CANNOT_OPEN, Claim, PerhapsTaken, is_due
from core.sending.replies import ReplyClaim
from core.sending.rules import FARTHEST_TRY, LEASE
from core.sending.timetable import Demand, Lane
from core.tables import Broadcast, Customer, Delivery, OptIn, UtcTime

_ID = bulk.columns_of(Broadcast, "id")
Row = list[Any]  # of a delivery, as `_ready` selects it


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one fanpage would claim: up to `count` messages, its replies first, then its broadcasts in turn.

    `stored` is the next free send slot that its rate row is known to have, in seconds since 1970; `lane` is
    the same in monotonic seconds, in which the timetable reckons. `turn` says whose broadcast begins.
    """

    fanpage_id: int
    count: int
    broadcast_ids: Sequence[int]
    has_replies: bool
    lane: Lane
    demand: Demand
    stored: float
    turn: int = 0


@dataclass(slots=True)
class Taken:
    """What one fanpage got: its claims in the order in which they leave, and where it stands afterwards."""

    wanted: Wanted
    reply_ids: list[int]
    rows: list[Row]  # of deliveries
    replies: list[ReplyClaim] = field(default_factory=list)
    deliveries: list[Claim] = field(default_factory=list)
    times: tuple[float, ...] = ()  # monotonic
    lane: Lane | None = None
    stored: float = 0.0
    without_any: set[int] = field(default_factory=set)  # broadcasts that had nothing to send

    @property
    def claims(self) -> list[ReplyClaim | Claim]:
        """All claims in the order in which they leave: replies first."""
        return [*self.replies, *self.deliveries]


class SlotsMoved(Exception):
    """Another process has moved the send slots of one of these fanpages: nothing was claimed for any."""


def claim(wanted: Sequence[Wanted], *, worker: str, now: datetime) -> list[Taken]:
    """Claim for all of these fanpages in one transaction, and return what each got.

    Raises SlotsMoved when another process has moved the slots of one (nothing is claimed), PerhapsTaken when
    the commit failed, so that nobody knows whether the database has the claims, and otherwise whatever the
    database raises.
    """
    taken_at, taken = time.monotonic(), list[Taken]()
    try:
        with transaction() as db:
            waiting = replies.waiting(db, {w.fanpage_id: w.count for w in wanted if w.has_replies}, now=now)
            offered = _offered(db, wanted, now)
            taken = [_chosen(each, waiting.get(each.fanpage_id, []), offered) for each in wanted]
            _take_deliveries(db, taken, worker, taken_at, now)
            _take_replies(db, taken, worker, now)
            _move_slots(db, taken, now)
    except DATABASE_TROUBLE as problem:
        claims = [claim for each in taken for claim in each.claims]
        if not claims:
            raise
        raise PerhapsTaken(claims) from problem
    return taken


def _chosen(wanted: Wanted, reply_ids: list[int], offered: Mapping[int, list[Row]]) -> Taken:
    """What one fanpage takes of what is offered: replies first; its broadcasts share what room is left."""
    rows = [offered.get(broadcast_id, []) for broadcast_id in wanted.broadcast_ids]
    shares = timetable.share(wanted.count - len(reply_ids), [len(each) for each in rows], turn=wanted.turn)
    chosen = [row for of_one, count in zip(rows, shares, strict=True) for row in of_one[:count]]
    none = {key for key, of_one in zip(wanted.broadcast_ids, rows, strict=True) if not of_one}
    return Taken(wanted, reply_ids, chosen, without_any=none)


def _offered(db: Session, wanted: Sequence[Wanted], now: datetime) -> dict[int, list[Row]]:
    """What each broadcast could send now, oldest first, up to what its fanpage may. The rows are locked."""
    counts = {key: each.count for each in wanted for key in each.broadcast_ids}
    sending = _sending(db, sorted(counts), now)
    times = {"now": now, "far": now + FARTHEST_TRY, "margin": now - SAFETY_MARGIN}
    given = {name: bulk.stamp(at) for name, at in times.items()}
    offered: dict[int, list[Row]] = defaultdict(list)
    for row in _ready().fetch(db, [(key, last_id, counts[key]) for key, last_id in sending], given):
        offered[row[0]].append(row)
    for rows in offered.values():
        rows.sort(key=lambda row: row[1])
    return offered


def _sending(db: Session, broadcast_ids: list[int], now: datetime) -> list[tuple[int, int]]:
    """The broadcasts that may send, each with the id of its last delivery that may: while its first part (the
    canary) is still to be judged, the last of that. Their rows are locked for sharing, so whoever ends one
    waits for us, or we see that it has ended."""
    rows = _locking().fetch(db, bulk.bound_ids(broadcast_ids)) if broadcast_ids else []
    return [
        (broadcast_id, last_id)
        for broadcast_id, state, best_before, last_id in rows
        if state == BroadcastState.SENDING
        and not is_too_late(bulk.moment(best_before) if best_before else None, now)
    ]


@cache
def _locking() -> bulk.Ready:
    wanted = select(
        col(Broadcast.id), col(Broadcast.state), col(Broadcast.best_before), canary.last_that_may_be_sent()
    )
    chosen = col(Broadcast.id).in_(bulk.rows_given(_ID))
    in_order = wanted.where(chosen).order_by(col(Broadcast.id))
    return bulk.Ready(bulk.packed(in_order.with_for_update(read=True, skip_locked=True)))


@cache
def _ready() -> bulk.ForEach:
    """The deliveries of each given broadcast that may be sent, oldest first."""
    now = bindparam("now", type_=UtcTime)

    def of_one(given: Any) -> Any:
        return (
            select(
                col(Delivery.broadcast_id),
                col(Delivery.id),
                col(Delivery.opt_in_id),
                col(Delivery.customer_id),
                col(Customer.first_name),
                (col(Delivery.attempt) + 1).label("attempt"),
                col(Delivery.tries),
                col(Delivery.in_doubt),
                col(OptIn.token_sealed),
                col(OptIn.state),
                # In doubt it is tried beyond our margin, up to its real end: then a refusal would prove
                # nothing.
                or_(
                    col(OptIn.expires_at) > now,
                    and_(col(Delivery.in_doubt), col(OptIn.expires_at) > bindparam("margin", type_=UtcTime)),
                ).label("lasts"),
            )
            .join(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))
            .outerjoin(Customer, col(Customer.id) == col(Delivery.customer_id))  # forgotten: it ends here
            .where(
                col(Delivery.broadcast_id) == given.broadcast,
                col(Delivery.id) <= given.last_id,
                col(Delivery.state) == bulk.constant(DeliveryState.QUEUED),
                is_due(col(Delivery.next_try_at), now, bindparam("far", type_=UtcTime)),
            )
            .order_by(col(Delivery.id))
            .limit(given.count)
            .with_for_update(key_share=True, skip_locked=True, of=Delivery)
        )

    return bulk.ForEach({"broadcast": BigInteger(), "last_id": BigInteger(), "count": Integer()}, of_one)


def _take_deliveries(
    db: Session, taken: Sequence[Taken], worker: str, taken_at: float, now: datetime
) -> None:
    """Claim the chosen rows and open their tokens. Where the opt-in was withdrawn or has expired since the
    launch, or cannot be opened, the delivery ends here."""
    rows = [row for each in taken for row in each.rows]
    if not rows:
        return
    ids = sorted(row[1] for row in rows)
    if deliveries.claim(db, ids, worker=worker, lease_until=now + LEASE, now=now) != len(ids):
        raise RuntimeError("a claim took rows that were not free")  # locked above: cannot be
    tokens = iter(unseal_all([row[8] or "" for row in rows]))
    for each in taken:
        for row in each.rows:
            claim = _claim(each.wanted.fanpage_id, row, next(tokens), taken_at, now)
            *_, state, lasts = row
            if claim.token and lasts:
                each.deliveries.append(claim)
            else:
                _end_unfit(db, claim, state, bool(lasts), now)


def _claim(fanpage_id: int, row: Row, token: str | None, taken_at: float, now: datetime) -> Claim:
    broadcast_id, delivery_id, opt_in_id, customer_id, first_name, attempt, tries, in_doubt, _, state, _ = row
    return Claim(
        delivery_id,
        fanpage_id,
        broadcast_id,
        opt_in_id,
        customer_id,
        first_name,
        (token or "") if state == OptInState.RESERVED else "",
        attempt,
        tries,
        bool(in_doubt),
        taken_at,
        now,
    )


def _end_unfit(db: Session, claim: Claim, state: str, lasts: bool, now: datetime) -> None:
    """End a delivery whose opt-in cannot be used. One that may have been sent before ends as unknown."""
    if state != OptInState.RESERVED:
        reason, ended = "withdrawn", DeliveryState.SKIPPED
    elif not lasts:
        reason, ended = "expired", DeliveryState.SKIPPED
    else:
        reason, ended = CANNOT_OPEN, DeliveryState.FAILED  # kept for when the right key is back
    if claim.in_doubt:
        ended = DeliveryState.UNKNOWN
    deliveries.end_claimed(db, claim.delivery_id, ended, reason=reason, now=now)
    if ended == DeliveryState.SKIPPED:
        opt_ins.release(db, [claim.opt_in_id], now=now)  # what has run out expires from there


def _take_replies(db: Session, taken: Sequence[Taken], worker: str, now: datetime) -> None:
    """Claim the chosen replies."""
    ids = [reply_id for each in taken for reply_id in each.reply_ids]
    claims = replies.claim(db, ids, worker=worker, now=now) if ids else {}
    for each in taken:
        each.replies = [claims[reply_id] for reply_id in each.reply_ids if reply_id in claims]


def _move_slots(db: Session, taken: Sequence[Taken], now: datetime) -> None:
    """Reserve as many send slots of each fanpage as it has claims. For others the row says when the last of
    them has left: a fanpage that is late catches up by itself, never beside another. Raises SlotsMoved."""
    at, steady = now.timestamp(), time.monotonic()
    sending = [each for each in taken if each.claims]
    for each in sending:
        wanted = each.wanted
        found = timetable.depart(wanted.lane, wanted.demand, len(each.claims), now=steady)
        each.times, each.lane = found.times, found.lane
        each.stored = at + max(found.lane.slot, found.lane.opens) - steady
    moved = [(each.wanted.fanpage_id, each.wanted.stored, each.stored) for each in sending]
    if moved and not rate_limiter.move_slots(db, moved):
        raise SlotsMoved
