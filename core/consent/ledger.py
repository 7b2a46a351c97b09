"""The ledger of tokens: every change of an opt-in's state, inside the caller's transaction.

Nothing else writes `opt_in.state`, except that `tapped_opt_ins.py` adds new ones. Each move names the states
it may leave, so that repeating one, or racing with another, changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    String,
    bindparam,
    case,
    cast,
    literal,
    null,
    select,
    update,
)
from sqlmodel import Session, col

from core.consent.rules import NEXT_STATES, OptInState, WithdrawalSource, expires_at
from core.consent.withdrawals import is_withdrawn, remember
from core.db import bulk
from core.db.tables import Delivery, OptIn, UtcTime, Withdrawal
from core.deliveries.rules import DeliveryState
from core.encryption import encrypt_all
from core.installation.token_hash import token_hash

_OPT_IN = bulk.columns_of(
    OptIn,
    "fanpage_id",
    "customer_id",
    "topic_id",
    "request_id",
    "promise",
    "token_hash",
    "token_sealed",
    "state",
    "source",
    "consented_at",
    "expires_at",
    "created_at",
    "import_id",
)
_ID = bulk.columns_of(OptIn, "id")
_ENDED = bulk.columns_of(OptIn, "fanpage_id", "token_hash", "state", "settled_at")


@dataclass(frozen=True, repr=False)
class NewOptIn:
    """An opt-in to be recorded; its token never shows in a repr."""

    fanpage_id: int
    customer_id: int
    topic_id: int | None
    request_id: int | None
    promise: str
    token: str
    source: str
    consented_at: datetime
    created_at: datetime
    import_id: int | None = None  # the OptInImport that brings it


class EndedOptIn(NamedTuple):
    """An opt-in that is over in another copy of this database."""

    fanpage_id: int
    token_hash: str
    state: OptInState
    settled_at: datetime | None


class Withdrawn(NamedTuple):
    is_new: bool  # False when this very withdrawal was known already
    ended: int  # how many opt-ins it ended


def record_imported(db: Session, rows: Sequence[NewOptIn]) -> int:
    """Store opt-ins of an import; one whose token the fanpage already has is left as it is. Returns how many
    were new.

    An opt-in that a withdrawal applies to is stored as withdrawn. The caller has locked the customers' rows
    (`row_locks.lock_people`), so that nobody withdraws meanwhile.
    """
    sealed = encrypt_all([row.token for row in rows])
    values = [_values(row, token) for row, token in zip(rows, sealed, strict=True)]
    return _count(db.connection().execute(_insert(), bulk.bound(values))) if rows else 0


def _values(row: NewOptIn, sealed: str) -> list[object]:
    times = (row.consented_at, expires_at(row.consented_at), row.created_at)
    return [
        row.fanpage_id,
        row.customer_id,
        row.topic_id,
        row.request_id,
        row.promise[:200],
        token_hash(row.token),
        sealed,
        OptInState.AVAILABLE,
        row.source,
        *(bulk.stamp(time) for time in times),
        row.import_id,
    ]


@cache
def _insert() -> Any:
    given = bulk.rows_given(_OPT_IN).subquery("given")
    row = given.c
    was_withdrawn = is_withdrawn(row.customer_id, row.topic_id, row.source, row.consented_at)
    values = {
        **row,
        "state": case((was_withdrawn, OptInState.WITHDRAWN.value), else_=row.state),
        "settled_at": case((was_withdrawn, row.created_at)),
    }
    insert = bulk.insert_selected(OptIn, values, given)
    return insert.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def reserve(db: Session, chosen: Select[int | None]) -> int:
    """Reserve the available opt-ins that a query chooses, for deliveries that are queued in this transaction.
    Returns how many."""
    # With statistics from before a large import PostgreSQL expects a single available opt-in, and would walk
    # all of them for each delivery. An expression without an index keeps it from choosing that plan.
    unindexed = col(OptIn.state).concat("")
    which = col(OptIn.id).in_(chosen), unindexed == OptInState.AVAILABLE.value
    return _count(db.execute(bulk.change(OptIn, *which).values(state=OptInState.RESERVED)))


def release_abandoned(db: Session, *, now: datetime) -> int:
    """Release reserved opt-ins whose year is over and that no delivery can use any more, so that they expire.
    Returns how many."""
    live = (
        select(literal(1))
        .where(
            col(Delivery.opt_in_id) == col(OptIn.id),
            col(Delivery.state).in_([DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN]),
        )
        .exists()
    )
    abandoned = col(OptIn.state) == OptInState.RESERVED, col(OptIn.expires_at) <= now, ~live
    return _count(db.execute(bulk.change(OptIn, *abandoned).values(state=OptInState.AVAILABLE)))


def spend(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """The platform accepted these tokens: reserved opt-ins become spent. Returns how many."""
    return _move(db, opt_in_ids, OptInState.RESERVED, OptInState.SPENT, now)


def release(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """These tokens were neither used nor in doubt: reserved opt-ins become available. Returns how many."""
    return _move(db, opt_in_ids, OptInState.RESERVED, OptInState.AVAILABLE, now)


def mark_refused(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """The platform refused these tokens on a first attempt: reserved opt-ins become refused. Returns how
    many."""
    return _move(db, opt_in_ids, OptInState.RESERVED, OptInState.REFUSED, now)


def make_available(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> int:
    """Refused opt-ins become available, because staff or the breaker judge so. Returns how many."""
    return _move(db, opt_in_ids, OptInState.REFUSED, OptInState.AVAILABLE, now)


def end_as_elsewhere(db: Session, ended: Sequence[EndedOptIn]) -> int:
    """End the open opt-ins that another copy of this database knows to be over. Returns how many."""
    given = bulk.rows_given(_ENDED).subquery("given")
    statement = bulk.change(
        OptIn,
        col(OptIn.fanpage_id) == given.c.fanpage_id,
        col(OptIn.token_hash) == given.c.token_hash,
        bulk.one_of(col(OptIn.state), _MAY_BE_WITHDRAWN),
        col(OptIn.state) != given.c.state,
    ).values(state=given.c.state, settled_at=given.c.settled_at)
    rows = [(*each[:2], each.state.value, bulk.stamp(each.settled_at)) for each in ended]
    return _count(db.connection().execute(statement, bulk.bound(rows)))


def find_known(db: Session, tokens: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Which of these tokens (fanpage, hash) are in the ledger, in whatever state."""
    hashes = [token_hash for _fanpage, token_hash in tokens]
    found = select(col(OptIn.fanpage_id), col(OptIn.token_hash)).where(col(OptIn.token_hash).in_(hashes))
    return {(fanpage_id, hash_) for fanpage_id, hash_ in db.execute(found)} & set(tokens)


def add_ended(db: Session, row: OptIn, ended: EndedOptIn, *, customer_id: int, topic_id: int | None) -> None:
    """Add an opt-in of another copy of this database that is over, so that its token is known again."""
    kept = row.model_dump(exclude={"id", "request_id", "import_id", "state"})
    found = {"fanpage_id": ended.fanpage_id, "customer_id": customer_id, "topic_id": topic_id}
    db.add(OptIn(**{**kept, **found, "state": ended.state}))
    db.flush()


def withdraw(
    db: Session,
    customer_id: int,
    topic_id: int | None,
    *,
    fanpage_id: int,
    source: WithdrawalSource,
    at: datetime,
    now: datetime,
) -> Withdrawn:
    """Record that a customer withdrew at `at` from a topic or (None) from all topics of the fanpage, and end
    every unused opt-in that this applies to.

    The caller has locked the customer's row, so that no consent is recorded meanwhile.
    """
    withdrawal = Withdrawal(
        fanpage_id=fanpage_id,
        customer_id=customer_id,
        topic_id=topic_id,
        source=source,
        at=at,
        created_at=now,
    )
    is_new = remember(db, withdrawal)
    return Withdrawn(is_new, _end_withdrawn(db, col(OptIn.customer_id) == customer_id, now))


def assign_topic(
    db: Session, without_topic: Sequence[ColumnElement[bool]], topic_id: int, now: datetime
) -> int:
    """Assign a topic to these opt-ins without one, and end those that a withdrawal from it applies to.
    Returns how many have a topic now. The caller has locked the customers' rows."""
    changed = bulk.change(OptIn, *without_topic, col(OptIn.topic_id).is_(None)).values(topic_id=topic_id)
    ids = [each for each in db.execute(changed.returning(col(OptIn.id))).scalars() if each]
    _end_withdrawn(db, col(OptIn.id).in_(bulk.among(ids)), now)
    return len(ids)


def _end_withdrawn(db: Session, mine: ColumnElement[bool], now: datetime) -> int:
    was_withdrawn = is_withdrawn(
        col(OptIn.customer_id), col(OptIn.topic_id), col(OptIn.source), col(OptIn.consented_at)
    )
    theirs = mine, bulk.one_of(col(OptIn.state), _MAY_BE_WITHDRAWN), was_withdrawn
    ended = bulk.change(OptIn, *theirs).values(state=OptInState.WITHDRAWN, settled_at=now)
    return _count(db.execute(ended))


def forget(db: Session, opt_in_ids: Collection[int], *, now: datetime) -> None:
    """Their customer is forgotten: unused opt-ins become withdrawn, and none of them leads to a person any
    more."""
    nobody = literal("forgotten:").concat(cast(col(OptIn.id), String))
    is_open = bulk.one_of(col(OptIn.state), _MAY_BE_WITHDRAWN)
    ended = {
        "state": case((is_open, OptInState.WITHDRAWN.value), else_=col(OptIn.state)),
        "settled_at": case((is_open, literal(now, UtcTime)), else_=col(OptIn.settled_at)),
    }
    theirs = bulk.change(OptIn, col(OptIn.id).in_(bulk.among(opt_in_ids)))
    db.execute(theirs.values(customer_id=None, token_sealed=None, token_hash=nobody, **ended))


def was_taken() -> ColumnElement[bool]:
    """The condition that a delivery has, or once had, this opt-in."""
    same = col(Delivery.customer_id) == col(OptIn.customer_id)  # the index of deliveries begins with it
    return select(literal(1)).where(same, col(Delivery.opt_in_id) == col(OptIn.id)).exists()


def take_back_imported(db: Session, import_id: int, *, limit: int) -> int:
    """Delete up to `limit` opt-ins of an import that no delivery ever used, so that their tokens can be
    imported again. Returns how many. One that is reserved, spent or refused always stays."""
    unused = (OptInState.AVAILABLE, OptInState.EXPIRED, OptInState.WITHDRAWN)
    known = col(OptIn.customer_id).is_not(None)  # a delivery may refer to one of somebody forgotten
    theirs = col(OptIn.import_id) == import_id, bulk.one_of(col(OptIn.state), unused), known, ~was_taken()
    ids = list(db.execute(select(col(OptIn.id)).where(*theirs).limit(limit)).scalars())
    chosen = col(OptIn.id).in_(bulk.among([each or 0 for each in ids]))
    return _count(db.execute(bulk.remove(OptIn, chosen, *theirs)))


def expire_due(db: Session, *, now: datetime, limit: int = 10_000) -> int:
    """Mark up to `limit` available opt-ins whose year is over as expired; reserved ones are left to their
    delivery. Returns how many."""
    due = (
        select(col(OptIn.id))
        .where(col(OptIn.state) == OptInState.AVAILABLE, col(OptIn.expires_at) <= now)
        .limit(limit)
    )
    still = col(OptIn.id).in_(due), col(OptIn.state) == OptInState.AVAILABLE
    return _count(db.execute(bulk.change(OptIn, *still).values(state=OptInState.EXPIRED, settled_at=now)))


_MAY_BE_WITHDRAWN = (OptInState.AVAILABLE, OptInState.RESERVED, OptInState.REFUSED)


def _move(
    db: Session, opt_in_ids: Collection[int], source: OptInState, target: OptInState, now: datetime
) -> int:
    if target not in NEXT_STATES[source]:
        raise ValueError(f"an opt-in never goes from {source} to {target}")
    at = {"now": bulk.stamp(now)}
    return _moving(source, target).run(db, {**bulk.bound_ids(opt_in_ids), **at}).rowcount


@cache
def _moving(source: OptInState, target: OptInState) -> bulk.CompiledStatement:
    chosen = bulk.rows_given(_ID)
    at = null() if target == OptInState.AVAILABLE else bindparam("now", type_=UtcTime)
    return bulk.CompiledStatement(
        update(OptIn)
        .where(col(OptIn.id).in_(chosen), col(OptIn.state) == bulk.constant(source))
        .values(state=target, settled_at=at)
    )


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
