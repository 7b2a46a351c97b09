"""The ledger of tokens: every change of an opt-in's state, inside the caller's transaction.

Nothing else writes `opt_in.state`. Each move names the states it may leave, so that repeating one, or
racing with another, changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, Select, literal, select, update
from sqlmodel import Session, col

from core import bulk
from core.consent.rules import NEXT_STATES, OptInState, expires_at
from core.database import insert_new
from core.sealing import find_hash, seal
from core.tables import Delivery, OptIn


@dataclass(frozen=True, repr=False)
class NewOptIn:
    """A tap to be recorded; its token never shows in a repr."""

    fanpage_id: int
    customer_id: int
    topic_id: int | None
    request_id: int | None
    promise: str
    token: str
    source: str
    consented_at: datetime
    created_at: datetime


def record_opt_ins(db: Session, rows: Sequence[NewOptIn]) -> list[int]:
    """Store taps; one whose token the fanpage already has is left as it is. Returns the new ones' ids."""
    if not rows:
        return []
    statement = insert_new(db, OptIn).returning(OptIn.id)
    return list(db.execute(statement, [_values(row) for row in rows]).scalars())


def _values(row: NewOptIn) -> dict[str, object]:
    return {
        "fanpage_id": row.fanpage_id,
        "customer_id": row.customer_id,
        "topic_id": row.topic_id,
        "request_id": row.request_id,
        "promise": row.promise[:200],
        "token_hash": find_hash(row.token),
        "token_sealed": seal(row.token),
        "state": OptInState.AVAILABLE,
        "source": row.source,
        "consented_at": row.consented_at,
        "expires_at": expires_at(row.consented_at),
        "created_at": row.created_at,
    }


def reserve(db: Session, chosen: Select[int]) -> int:
    """Hold the available opt-ins that a query chooses, for the deliveries made in this transaction."""
    given = chosen.subquery()
    statement = (
        update(OptIn)
        .where(col(OptIn.id) == given.c[0], col(OptIn.state) == OptInState.AVAILABLE)
        .values(state=OptInState.RESERVED)
        .execution_options(synchronize_session=False)
    )
    return _count(db.execute(statement))


def release_unheld(db: Session, *, now: datetime) -> int:
    """Reserved opt-ins past their time that no delivery can use any more: they expire from here."""
    live = (
        select(literal(1))
        .where(
            col(Delivery.opt_in_id) == col(OptIn.id),
            col(Delivery.state).in_(["queued", "sending", "unknown"]),
        )
        .exists()
    )
    statement = (
        update(OptIn)
        .where(col(OptIn.state) == OptInState.RESERVED, col(OptIn.expires_at) <= now, ~live)
        .values(state=OptInState.AVAILABLE)
        .execution_options(synchronize_session=False)
    )
    return _count(db.execute(statement))


def spend(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """The platform took these tokens."""
    return _move(db, opt_in_ids, OptInState.RESERVED, OptInState.SPENT, now)


def release(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """These tokens were not used and never in doubt: they may be used again while their year lasts."""
    return _move(db, opt_in_ids, OptInState.RESERVED, OptInState.AVAILABLE, now)


def refuse(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """The platform refused these tokens on a first try."""
    return _move(db, opt_in_ids, OptInState.RESERVED, OptInState.REFUSED, now)


def make_available(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """Staff give refused tokens another chance."""
    return _move(db, opt_in_ids, OptInState.REFUSED, OptInState.AVAILABLE, now)


def withdraw(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """The customer opted out: whatever is not used yet is never used."""
    return _move(db, opt_in_ids, _MAY_BE_WITHDRAWN, OptInState.WITHDRAWN, now)


def expire_due(db: Session, *, now: datetime, limit: int = 10_000) -> int:
    """End the opt-ins whose year is over. Reserved ones are left to their delivery."""
    due = (
        select(col(OptIn.id))
        .where(col(OptIn.state) == OptInState.AVAILABLE, col(OptIn.expires_at) <= now)
        .limit(limit)
    )
    statement = (
        update(OptIn)
        .where(col(OptIn.id).in_(due), col(OptIn.state) == OptInState.AVAILABLE)
        .values(state=OptInState.EXPIRED, settled_at=now)
        .execution_options(synchronize_session=False)
    )
    return _count(db.execute(statement))


_MAY_BE_WITHDRAWN = (OptInState.AVAILABLE, OptInState.RESERVED, OptInState.REFUSED)


def _move(
    db: Session,
    opt_in_ids: Collection[int],
    source: OptInState | tuple[OptInState, ...],
    target: OptInState,
    now: datetime,
) -> int:
    sources = (source,) if isinstance(source, OptInState) else source
    if any(target not in NEXT_STATES[each] for each in sources):
        raise ValueError(f"an opt-in never goes from {sources} to {target}")
    statement = (
        update(OptIn)
        .where(col(OptIn.id).in_(bulk.among(db, opt_in_ids)), col(OptIn.state).in_(sources))
        .values(state=target, settled_at=None if target == OptInState.AVAILABLE else now)
        .execution_options(synchronize_session=False)
    )
    return _count(db.execute(statement))


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
