"""Claim before send: a handful of deliveries under a lease, handed back or taken over when not sent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, literal, or_, select, update
from sqlmodel import Session, col

from core import bulk, row_locks
from core.broadcasts import canary, closing
from core.broadcasts.rules import BroadcastState, DeliveryState, is_too_late
from core.consent import ledger
from core.consent.rules import SAFETY_MARGIN, OptInState
from core.database import DATABASE_TROUBLE, is_sqlite, reading, transaction, unless_locked, wait_for_locks
from core.heartbeat import SILENT_AFTER, alive
from core.sealing import unseal_all
from core.sending import tries
from core.sending.rules import FARTHEST_TRY, LEASE, LEASE_RAN_OUT, MAX_TRIES, wait_after
from core.tables import Broadcast, Customer, Delivery, OptIn, Reply, UtcTime

CANNOT_OPEN = "cannot_open"
PATIENCE = "500ms"  # for the row of a broadcast that is being changed
_ID = bulk.columns_of(Delivery, "id")


@dataclass(slots=True, repr=False)
class Claim:
    """One delivery in our hands, never changed. Holds the opened token: never logged, no repr."""

    delivery_id: int
    broadcast_id: int
    opt_in_id: int
    customer_id: int  # of somebody who was forgotten there is none: such a claim only ends
    first_name: str | None
    token: str
    attempt: int
    tries: int
    in_doubt: bool
    taken_at: float = 0.0  # monotonic time from before the claim
    claimed_at: datetime | None = None  # with worker and attempt: the fence against another claim


class BeingChanged(Exception):
    """Somebody is just ending this broadcast, or the like: ask again in a moment."""


class PerhapsTaken(Exception):
    """The commit of a claim failed, and the database may have it all the same: to be handed back."""

    def __init__(self, claims: Sequence[Any]) -> None:
        super().__init__(f"{len(claims)} claims")
        self.claims = claims


def claim(broadcast_id: int, count: int, *, worker: str, now: datetime) -> list[Claim]:
    """Take up to `count` queued deliveries that may be tried now. One transaction, which waits for nobody
    who has the broadcast's row: ending a large one takes a while, and others have work meanwhile."""
    taken_at, taken = time.monotonic(), list[Claim]()
    try:
        with transaction() as db:
            # Locked for sharing: whoever ends the broadcast waits for us, or we see that it has ended.
            broadcast = db.connection().execute(_broadcast(), {"broadcast": broadcast_id}).one_or_none()
            if broadcast is None:
                raise BeingChanged
            if broadcast.state == BroadcastState.SENDING and not is_too_late(broadcast.best_before, now):
                rows = _take(db, broadcast_id, count, worker, now)
                taken = _fit(db, broadcast_id, rows, taken_at, now)
    except DATABASE_TROUBLE as problem:
        if not taken:
            raise
        raise PerhapsTaken(taken) from problem
    return taken


@cache
def _broadcast() -> Any:
    wanted = select(col(Broadcast.state), col(Broadcast.best_before))
    mine = col(Broadcast.id) == bindparam("broadcast")
    return wanted.where(mine).with_for_update(read=True, skip_locked=True)


def _take(db: Session, broadcast_id: int, count: int, worker: str, now: datetime) -> list[list[Any]]:
    """Rows as `_ready` selects them, now ours."""
    lite = is_sqlite(db)
    at = partial(bulk.stamp, for_sqlite=lite)
    times = {"now": at(now), "far": at(now + FARTHEST_TRY), "margin": at(now - SAFETY_MARGIN)}
    rows = sorted(_ready(lite).fetch(db, {"broadcast": broadcast_id, "count": count, **times}))
    if rows:
        marks = {"now": at(now), "worker": worker, "lease": at(now + LEASE)}
        moved = _mark(lite).run(db, {**bulk.bound([row[:1] for row in rows]), **marks})
        if moved.rowcount != len(rows):
            raise RuntimeError("a claim took rows that were not free")  # locked above: cannot be
    return rows


@cache
def _ready(for_sqlite: bool) -> bulk.Ready:
    """What may be sent now, packed: one value is read out much faster than rows and columns.

    SQLite has one writer and leaves FOR UPDATE out.
    """
    now = bindparam("now", type_=UtcTime)
    statement = (
        select(
            col(Delivery.id),
            col(Delivery.opt_in_id),
            col(Delivery.customer_id),
            col(Customer.first_name),
            col(Delivery.attempt) + 1,
            col(Delivery.tries),
            col(Delivery.in_doubt),
            col(OptIn.token_sealed),
            col(OptIn.state),
            # In doubt it is tried beyond our margin, up to its real end: then a refusal would prove nothing.
            or_(
                col(OptIn.expires_at) > now,
                and_(col(Delivery.in_doubt), col(OptIn.expires_at) > bindparam("margin", type_=UtcTime)),
            ),
        )
        .join(Broadcast, col(Broadcast.id) == col(Delivery.broadcast_id))
        .join(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))
        .outerjoin(Customer, col(Customer.id) == col(Delivery.customer_id))  # forgotten: it ends here
        .where(
            col(Delivery.broadcast_id) == bindparam("broadcast"),
            canary.may_be_sent(),
            col(Delivery.state) == DeliveryState.QUEUED.value,
            is_due(col(Delivery.next_try_at), now, bindparam("far", type_=UtcTime)),
        )
        .order_by(col(Delivery.id))
        .limit(bindparam("count"))
        .with_for_update(key_share=True, skip_locked=True, of=Delivery)
    )
    return bulk.Ready(bulk.packed(statement, for_sqlite=for_sqlite))


@cache
def _mark(for_sqlite: bool) -> bulk.Ready:
    chosen = bulk.rows_given(_ID, for_sqlite=for_sqlite)
    return bulk.Ready(
        update(Delivery)
        .where(col(Delivery.id).in_(chosen), col(Delivery.state) == DeliveryState.QUEUED.value)
        .values(
            state=DeliveryState.SENDING.value,
            claimed_at=bindparam("now", type_=UtcTime),
            claimed_by=bindparam("worker"),
            lease_until=bindparam("lease", type_=UtcTime),
            attempt=col(Delivery.attempt) + 1,
        )
    )


def _fit(
    db: Session, broadcast_id: int, rows: list[list[Any]], taken_at: float, now: datetime
) -> list[Claim]:
    """Claims with their tokens opened. An opt-in withdrawn or run out since the launch is not used: its
    delivery ends here."""
    fit = []
    tokens = unseal_all([sealed or "" for *_, sealed, _state, _lasts in rows])
    for row, token in zip(rows, tokens, strict=True):
        delivery_id, opt_in_id, customer_id, first_name, attempt, tries, in_doubt, _sealed, state, lasts = row
        usable = (token or "") if state == OptInState.RESERVED else ""
        claimed = Claim(
            delivery_id,
            broadcast_id,
            opt_in_id,
            customer_id,
            first_name,
            usable,
            attempt,
            tries,
            bool(in_doubt),
            taken_at,
            now,
        )
        if usable and lasts:
            fit.append(claimed)
        else:
            _end_unfit(db, claimed, state, bool(lasts), now)
    return fit


def _end_unfit(db: Session, claimed: Claim, state: str, lasts: bool, now: datetime) -> None:
    if state != OptInState.RESERVED:
        reason, ended = "withdrawn", DeliveryState.SKIPPED
    elif not lasts:
        reason, ended = "expired", DeliveryState.SKIPPED
    else:
        reason, ended = CANNOT_OPEN, DeliveryState.FAILED  # kept for when the right key is back
    if claimed.in_doubt:
        ended = DeliveryState.UNKNOWN
    db.execute(
        update(Delivery)
        .where(col(Delivery.id) == claimed.delivery_id)
        .values(state=ended, reason=reason, settled_at=now, lease_until=None)
    )
    if ended == DeliveryState.SKIPPED:
        ledger.release(db, [claimed.opt_in_id], now=now)  # what has run out expires from there


def hand_back(claims: Sequence[Claim], *, worker: str, now: datetime) -> None:
    """Return claims that were never put on the wire: nothing happened to them. What the database never
    took, or is not ours any more, stays as it is; a commit that is still going on is waited for."""
    if not claims:
        return
    with transaction() as db:
        row_locks.lock_broadcasts(db, {c.broadcast_id for c in claims})
        for (attempt, claimed_at), ids in _by_fence(claims).items():
            db.execute(
                update(Delivery)
                .where(
                    col(Delivery.id).in_(ids),
                    col(Delivery.attempt) == attempt,
                    col(Delivery.claimed_by) == worker,
                    col(Delivery.claimed_at) == claimed_at,
                    col(Delivery.state) == DeliveryState.SENDING,
                )
                .values(state=DeliveryState.QUEUED, lease_until=None, claimed_by=None)
                .execution_options(synchronize_session=False)
            )
        _end_if_over(db, {c.broadcast_id for c in claims}, now)


def _by_fence(claims: Sequence[Claim]) -> dict[tuple[int, datetime | None], list[int]]:
    groups: dict[tuple[int, datetime | None], list[int]] = {}
    for one in claims:
        groups.setdefault((one.attempt, one.claimed_at), []).append(one.delivery_id)
    return groups


def _end_if_over(db: Session, broadcast_ids: set[int], now: datetime) -> None:
    """What comes back to a broadcast that has ended meanwhile ends with it."""
    rows = db.execute(select(Broadcast).where(col(Broadcast.id).in_(broadcast_ids))).scalars()
    for broadcast in rows.all():
        if broadcast.state == BroadcastState.CANCELLED:
            closing.end_cancelled(db, broadcast, now)
        elif is_too_late(broadcast.best_before, now):
            closing.end_queued(db, broadcast.id or 0, DeliveryState.SKIPPED, reason="too_late", now=now)


def take_over_lost(*, now: datetime) -> int:
    """Deliveries whose worker died or whose lease ran out: the try may have reached the platform, so it
    counts and leaves a doubt. Returns how many were taken over."""
    with reading() as db:
        of_lost = _lost(now).with_only_columns(col(Delivery.broadcast_id)).distinct()
        ids = sorted(db.execute(of_lost).scalars())
    taken = 0
    for broadcast_id in ids:
        with unless_locked():
            taken += _take_over_of(broadcast_id, now)
    return taken


def _take_over_of(broadcast_id: int, now: datetime) -> int:
    """A transaction for each broadcast, so that none waits long for another; one that is being changed for
    longer than that is for the next time."""
    mine = select(col(Broadcast.id)).where(col(Broadcast.id) == broadcast_id)
    lost = _lost(now).where(col(Delivery.broadcast_id) == broadcast_id).order_by(col(Delivery.id))
    with transaction() as db:
        # Waited for: while an audience is added the row is hardly ever free.
        wait_for_locks(db, PATIENCE)
        if db.execute(mine.with_for_update(key_share=True)).first() is None:
            return 0
        ids = db.execute(lost.with_for_update(key_share=True, skip_locked=True)).scalars()
        taken = db.execute(
            update(Delivery)
            .where(
                col(Delivery.id).in_(bulk.among(db, [each for each in ids if each])),
                col(Delivery.state) == DeliveryState.SENDING,
            )
            .values(
                state=case(
                    (col(Delivery.tries) + 1 >= MAX_TRIES, DeliveryState.UNKNOWN.value),
                    else_=DeliveryState.QUEUED.value,
                ),
                settled_at=case((col(Delivery.tries) + 1 >= MAX_TRIES, literal(now, UtcTime)), else_=None),
                tries=col(Delivery.tries) + 1,
                in_doubt=True,
                reason=LEASE_RAN_OUT,
                lease_until=None,
                claimed_by=None,
                next_try_at=now + wait_after(1),
            )
            .returning(col(Delivery.id), col(Delivery.attempt), col(Delivery.claimed_at))
            .execution_options(synchronize_session=False)
        ).all()
        tries.keep_lost(db, [(each, attempt, at) for each, attempt, at in taken])
        _end_if_over(db, {broadcast_id}, now)
        return len(taken)


def claimed_in_the_future(table: type[Delivery] | type[Reply], now: datetime) -> ColumnElement[bool]:
    """The trace of a clock that jumped back: that lease would never run out."""
    return col(table.claimed_at) > now + LEASE


def is_due(next_try_at: Any, now: Any, far: Any) -> ColumnElement[bool]:
    """`far` is `now` plus FARTHEST_TRY."""
    return or_(next_try_at.is_(None), next_try_at <= now, next_try_at > far)


def _lost(now: datetime) -> Select[int | None]:
    silent = and_(
        or_(col(Delivery.claimed_by).is_(None), col(Delivery.claimed_by).not_in(alive(now))),
        col(Delivery.claimed_at) < now - SILENT_AFTER,
    )
    return select(col(Delivery.id)).where(
        col(Delivery.state) == DeliveryState.SENDING,
        or_(col(Delivery.lease_until) < now, silent, claimed_in_the_future(Delivery, now)),
    )
