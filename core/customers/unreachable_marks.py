"""Marks customers whom Messenger says it cannot reach, confirms such marks, undoes and lifts them.

A mark is tentative until a later call of the same fanpage was accepted. Then it becomes firm, and only a firm
mark keeps somebody out of an audience. Any later sign of life lifts it. See docs/decisions/0028.

Everything here runs inside the caller's transaction. On PostgreSQL customers are locked before deliveries:
`core/db/row_locks.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Integer, and_, case, exists, func, or_, select, update
from sqlmodel import Session, col

from core.conversation.rules import ReplyState
from core.db import bulk, row_locks
from core.db.dialects import WhereWritersMeet
from core.db.engine import is_sqlite
from core.db.tables import Customer, Delivery, Reply
from core.deliveries.rules import DeliveryState

CustomerKey = tuple[int, str]  # fanpage id, PSID

# What a customer without a mark has in these columns.
UNMARKED: Mapping[str, None] = {
    f"unreachable_{name}": None for name in ("code", "at", "detail", "delivery_id", "firm_at")
}
_ID = bulk.columns_of(Customer, "id")
_REFUSED = {
    "customer_id": _ID["id"],
    **bulk.columns_of(
        Customer, "unreachable_delivery_id", "unreachable_code", "unreachable_detail", "unreachable_at"
    ),
}
_ACCEPTED = {
    "customer_id": _ID["id"],
    **bulk.columns_of(Customer, "reachable_at"),
}
_FANPAGE = bulk.columns_of(Customer, "fanpage_id", "reachable_at")
_SEEN = bulk.columns_of(Customer, "fanpage_id", "psid", "reachable_at")


@dataclass(frozen=True, slots=True)
class UnreachableAnswer:
    """The platform's answer that this customer cannot be reached."""

    customer_id: int
    delivery_id: int | None  # None: it answered a reply of the chatbot
    code: str  # a code word of messenger.reasons
    detail: str | None  # what the platform said, without secrets
    at: datetime  # when the answer came


def keeps_out() -> ColumnElement[bool]:
    """Whether a customer has a firm mark: core/consent/eligibility.py leaves them out of audiences."""
    return and_(col(Customer.unreachable_at).is_not(None), col(Customer.unreachable_firm_at).is_not(None))


def is_tentative() -> ColumnElement[bool]:
    """Whether a customer has a mark that is not firm yet."""
    return and_(col(Customer.unreachable_at).is_not(None), col(Customer.unreachable_firm_at).is_(None))


def made_by(fanpage_id: int, broadcast_id: int) -> tuple[ColumnElement[bool], ...]:
    """Whether a customer's mark comes from this broadcast: asked of the few of its fanpage who have one."""
    evidence = col(Delivery.id) == col(Customer.unreachable_delivery_id)
    is_its = exists().where(evidence, col(Delivery.broadcast_id) == broadcast_id)
    return col(Customer.fanpage_id) == fanpage_id, col(Customer.unreachable_at).is_not(None), is_its


def lifted_when(sign_of_life: ColumnElement[bool]) -> dict[str, Any]:
    """Values for an UPDATE of customers that removes the mark where the condition holds."""
    return {name: case((sign_of_life, None), else_=getattr(Customer, name)) for name in UNMARKED}


def mark_unreachable(db: Session, refusals: Sequence[UnreachableAnswer]) -> None:
    """Mark these customers tentatively, unless they have shown a sign of life since the answer.
    A mark that is there stays as it is, or each further refusal would put off that it becomes
    firm. The caller has locked the customers."""
    if not refusals:
        return
    newest = {each.customer_id: each for each in sorted(refusals, key=lambda each: each.at)}
    rows = [
        (each.customer_id, each.delivery_id, each.code, each.detail, bulk.stamp(each.at))
        for each in newest.values()
    ]
    _marking().run(db, bulk.bound(rows))


def record_acceptances(
    db: Session, acceptances: Sequence[tuple[int, int, datetime]], *, any_marked: bool
) -> None:
    """Messages were accepted, given as fanpage, customer and when the call was made. Lift the marks of these
    customers, if `any_marked`, and make the marks of their fanpages firm that are older than these calls. A
    call that was under way when a mark was made says nothing about it.

    Those who have a mark are locked already: by `lock_marked`, which tells whether there are any.
    """
    if not acceptances:
        return
    if any_marked:
        _lifting().run(db, _latest([(customer_id, at) for _, customer_id, at in acceptances]))
    _confirming().run(db, _latest([(fanpage_id, at) for fanpage_id, _, at in acceptances]))


def record_signs_of_life(db: Session, signs: Iterable[tuple[CustomerKey, datetime]]) -> None:
    """Record signs of life other than `Customer.last_event_at`, and lift older marks. The latest is kept,
    since the answer to an older call may be settled later. Nobody becomes a customer by it. The caller has
    locked the people."""
    seen: dict[CustomerKey, datetime] = {}
    for person, at in signs:
        seen[person] = max(at, seen.get(person, at))
    if seen:
        rows = [(*person, bulk.stamp(seen[person])) for person in sorted(seen)]
        _seeing().run(db, bulk.bound(rows))


def undo_marks_of_deliveries(db: Session, delivery_ids: Collection[int]) -> int:
    """Undo the marks, firm or not, that rest on the refusal of one of these deliveries, because
    it was not about the customers. Returns how many. It is called before deliveries are locked,
    unless their customers are.
    """
    if not delivery_ids:
        return 0
    given = bulk.among(delivery_ids)
    theirs = select(col(Delivery.customer_id)).where(col(Delivery.id).in_(given))
    blamed = col(Customer.id).in_(theirs), col(Customer.unreachable_delivery_id).in_(given)
    return _unmark(db, *blamed)


def undo_marks_of_replies(db: Session, customer_ids: Collection[int]) -> int:
    """Undo the marks of these customers that rest on the answer to a reply. Returns how many."""
    if not customer_ids:
        return 0
    theirs = col(Customer.id).in_(bulk.among(customer_ids))
    return _unmark(db, theirs, col(Customer.unreachable_delivery_id).is_(None))


def lift_marks(db: Session, now: datetime, *whose: ColumnElement[bool]) -> int:
    """Lift marks because staff say so; no answer from before `now` marks these customers again. Returns how
    many had a mark."""
    return _unmark(db, *whose, reachable_at=now)


def _unmark(db: Session, *whose: ColumnElement[bool], **values: datetime) -> int:
    marked = select(col(Customer.id)).where(col(Customer.unreachable_at).is_not(None), *whose)
    ids = list(db.execute(marked).scalars())
    row_locks.lock_customers(db, ids)
    still = col(Customer.unreachable_at).is_not(None), *whose, col(Customer.id).in_(bulk.among(ids))
    done = db.execute(bulk.change(Customer, *still).values(**UNMARKED, **values))
    return done.rowcount if isinstance(done, CursorResult) else 0


def lock_marked(db: Session, ids: Collection[int]) -> bool:
    """Lock those of these customers who have a mark. Returns whether there are any; mostly there are none."""
    if is_sqlite(db):
        return bool(_marked_among().run(db, bulk.bound_ids(ids)).scalar())
    return bool(row_locks.lock_customers(db, (), marked=ids))


@cache
def _marked_among() -> bulk.CompiledStatement:
    given = bulk.rows_given(_ID)
    return bulk.CompiledStatement(
        select(func.count()).where(col(Customer.unreachable_at).is_not(None), col(Customer.id).in_(given))
    )


def _latest(times: Iterable[tuple[int, datetime]]) -> dict[str, str]:
    """The latest time of each id, bound."""
    latest: dict[int, datetime] = {}
    for key, at in times:
        if key not in latest or latest[key] < at:
            latest[key] = at
    return bulk.bound([(key, bulk.stamp(at)) for key, at in sorted(latest.items())])


@cache
def _marking() -> bulk.CompiledStatement:
    given = bulk.rows_given(_REFUSED).subquery("refused")
    at = given.c.unreachable_at
    signs = col(Customer.last_event_at), col(Customer.reachable_at)
    evidence = "unreachable_code", "unreachable_at", "unreachable_detail", "unreachable_delivery_id"
    return bulk.CompiledStatement(
        update(Customer)
        .where(
            col(Customer.id) == given.c.customer_id,
            col(Customer.unreachable_at).is_(None),
            *(or_(sign.is_(None), sign < at) for sign in signs),
            *(~_accepted_since(table, at) for table in (Delivery, Reply)),
        )
        .values({name: given.c[name] for name in evidence})
    )


def _accepted_since(table: type[Delivery] | type[Reply], at: Any) -> ColumnElement[bool]:
    """Whether a message to the customer was accepted and settled since then. When its call was made is not
    stored, and somebody who may have been reached later is not marked."""
    sent = DeliveryState.SENT if table is Delivery else ReplyState.SENT
    return exists().where(
        col(table.customer_id) == col(Customer.id),
        col(table.state) == sent,
        col(table.mid).is_not(None),
        col(table.settled_at) >= at,
    )


@cache
def _lifting() -> bulk.CompiledStatement:
    given = bulk.rows_given(_ACCEPTED).subquery("accepted")
    return bulk.CompiledStatement(
        update(Customer)
        .where(col(Customer.id) == given.c.customer_id, col(Customer.unreachable_at) <= given.c.reachable_at)
        .values(**UNMARKED, reachable_at=given.c.reachable_at)
    )


@cache
def _confirming() -> bulk.CompiledStatement:
    """On PostgreSQL a row that somebody else has locked is skipped; it becomes firm by a later acceptance."""
    given = bulk.rows_given(_FANPAGE).subquery("accepted")
    same = col(Customer.fanpage_id).op("+", return_type=Integer())(0) == given.c.fanpage_id
    older = same, is_tentative(), col(Customer.unreachable_at) < given.c.reachable_at
    theirs = col(Customer.fanpage_id).in_(select(given.c.fanpage_id))
    free = select(col(Customer.id)).where(theirs, is_tentative())
    is_free = col(Customer.id).in_(free.with_for_update(key_share=True, skip_locked=True))
    confirmed = update(Customer).where(*older, WhereWritersMeet(is_free))
    return bulk.CompiledStatement(confirmed.values(unreachable_firm_at=given.c.reachable_at))


@cache
def _seeing() -> bulk.CompiledStatement:
    given = bulk.rows_given(_SEEN).subquery("seen")
    at = given.c.reachable_at
    same = and_(col(Customer.fanpage_id) == given.c.fanpage_id, col(Customer.psid) == given.c.psid)
    is_news = or_(col(Customer.reachable_at).is_(None), col(Customer.reachable_at) < at)
    return bulk.CompiledStatement(
        update(Customer)
        .where(same, is_news)
        .values(reachable_at=at, **lifted_when(col(Customer.unreachable_at) <= at))
    )
