"""Claims of deliveries: how long one holds, how it is handed back, and how a lost one is taken over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlmodel import Session, col

from core.db import bulk, row_locks
from core.db.engine import DATABASE_TROUBLE, glancing, transaction, unless_locked, wait_for_locks
from core.db.tables import Broadcast, Delivery, Reply
from core.deliveries import attempts, closing
from core.deliveries import ledger as delivery_ledger
from core.deliveries.rules import DeliveryState
from core.installation.heartbeat import SILENT_AFTER, processes_alive
from core.sending.rules import MAX_ATTEMPTS, PATIENCE_OF_ALL, wait_after
from core.sending.senders import registry
from core.sending.senders.sender import Claim

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)  # so long a claim holds, from the moment of claiming
PATIENCE = "500ms"  # for the row of a broadcast that is being changed


class UnsureCommit(Exception):
    """The commit of these claims failed, but the database may have them: they are to be handed back."""

    def __init__(self, claims: Sequence[Any]) -> None:
        super().__init__(f"{len(claims)} claims")
        self.claims = claims


def hand_back(claims: Sequence[Claim], *, worker: str, now: datetime) -> list[Claim]:
    """Queue again the claims that were never put on the wire. A claim that the database does not have, or
    that is not ours any more, changes nothing. A delivery whose broadcast has ended meanwhile ends, too.

    Returns those that are to be handed back later: they belong to a broadcast whose row somebody has locked
    (it is being ended, or our own claim is still being committed). Another locked row is waited for 200 ms.
    """
    if not claims:
        return []
    with transaction() as db:
        wait_for_locks(db, PATIENCE_OF_ALL)
        free = row_locks.lock_broadcasts_skipping_locked(db, {claim.broadcast_id for claim in claims})
        theirs = [claim for claim in claims if claim.broadcast_id in free]
        fences = [(claim.delivery_id, claim.claim_number, claim.claimed_at) for claim in theirs]
        delivery_ledger.hand_back(db, fences, worker=worker)
        closing.end_if_over(db, free, {claim.delivery_id for claim in theirs}, now)
    return [claim for claim in claims if claim.broadcast_id not in free]


def take_over_lost(*, now: datetime) -> int:
    """Queue again the deliveries whose worker is silent or whose lease has run out. The attempt may have
    reached the platform, so it counts and leaves a doubt. Returns how many were taken over. A broadcast that
    fails is logged, and tried again the next time; trouble of the database is raised after the others."""
    with glancing() as db:
        # Without DISTINCT, for which SQLite would walk through every delivery there is.
        ids = sorted(set(db.execute(_lost(now).with_only_columns(col(Delivery.broadcast_id))).scalars()))
    taken, trouble = 0, None
    for broadcast_id in ids:
        try:
            with unless_locked():
                taken += _take_over_of(broadcast_id, now)
        except DATABASE_TROUBLE as problem:
            trouble = problem
        except Exception:
            log.exception("take_over_failed", broadcast_id=broadcast_id)
    if trouble is not None:
        raise trouble
    return taken


def _take_over_of(broadcast_id: int, now: datetime) -> int:
    """A transaction for each broadcast, so that none waits long for another; one that is being changed for
    longer than that is for the next time."""
    mine = select(col(Broadcast.sender)).where(col(Broadcast.id) == broadcast_id)
    of_it = _lost(now).where(col(Delivery.broadcast_id) == broadcast_id).order_by(col(Delivery.id))
    lost = of_it.add_columns(col(Delivery.sender))
    with transaction() as db:
        # Not skipped when it is locked: while an audience is added the row is hardly ever free.
        wait_for_locks(db, PATIENCE)
        name = db.execute(mine.with_for_update(key_share=True)).scalar_one_or_none()
        if name is None:
            return 0
        by_sender: dict[str, list[int]] = defaultdict(list)
        for delivery_id, own in db.execute(lost.with_for_update(key_share=True, skip_locked=True)):
            by_sender[own or name].append(delivery_id)
        taken = [each for name, ids in by_sender.items() for each in _take_over_by(db, name, ids, now)]
        attempts.keep_lost(db, taken)
        closing.end_if_over(db, {broadcast_id}, {delivery_id for delivery_id, *_ in taken}, now)
        return len(taken)


def _take_over_by(
    db: Session, name: str, ids: Sequence[int], now: datetime
) -> list[tuple[int, int, datetime]]:
    """Of one sender; what only a newer version can send waits for a worker of that version."""
    sender = registry.find(name)
    if sender is None:
        return []
    most = MAX_ATTEMPTS if sender.is_guarded else 1  # then staff decide
    return delivery_ledger.take_over_lost(
        db, ids, max_attempts=most, next_try_at=now + wait_after(1), now=now
    )


def is_lost(table: type[Delivery] | type[Reply], now: datetime) -> ColumnElement[bool]:
    """The condition that a claim is a silent worker's, or that its lease has run out, or never would because
    a clock jumped back after it."""
    silent = and_(
        or_(col(table.claimed_by).is_(None), col(table.claimed_by).not_in(processes_alive(now))),
        col(table.claimed_at) < now - SILENT_AFTER,
    )
    return or_(col(table.lease_until) < now, silent, col(table.claimed_at) > now + LEASE)


def is_due(next_try_at: Any, now: Any, far: Any) -> ColumnElement[bool]:
    """The condition that a delivery or reply may be tried now. One due later than `far`, which is `now` plus
    FARTHEST_ATTEMPT, was set by a clock that jumped back, and may be tried, too."""
    return or_(next_try_at.is_(None), next_try_at <= now, next_try_at > far)


def _lost(now: datetime) -> Select[int | None]:
    """The deliveries whose claims are lost."""
    # By the index of what is claimed.
    is_claimed = col(Delivery.state) == bulk.constant(DeliveryState.SENDING)
    return select(col(Delivery.id)).where(is_claimed, is_lost(Delivery, now))
