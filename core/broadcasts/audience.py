"""Who a broadcast would reach: one reading of the ledger that the dry run, the lists and the launch share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, func, literal, select
from sqlmodel import col

from core.consent.rules import OptInState
from core.customers import marks
from core.db.tables import Customer, OptIn
from core.errors import N_

ELIGIBLE = "eligible"
# Why somebody who once opted in would not get the next broadcast, most telling first.
LEFT_OUT: dict[str, str] = {
    "unreachable": N_("Blocked the fanpage or cannot be reached; the opt-in is kept"),
    "reserved": N_("The opt-in is held by another broadcast"),
    "refused": N_("Messenger refused the opt-in; staff can make it available again"),
    "used": N_("The opt-in has been used; they need to be asked again"),
    "expired": N_("The opt-in is over a year old"),
    "withdrawn": N_("The customer withdrew"),
}


def chosen_opt_ins(topic_id: int, now: datetime, *among: ColumnElement[bool]) -> Select[int, int]:
    """(opt_in id, customer id): one opt-in per customer, the one that ends first."""
    ranked = (
        select(
            col(OptIn.id).label("id"),
            col(OptIn.customer_id).label("customer_id"),
            func.row_number()
            .over(partition_by=col(OptIn.customer_id), order_by=(col(OptIn.expires_at), col(OptIn.id)))
            .label("rank"),
        )
        .join(Customer, col(Customer.id) == col(OptIn.customer_id))
        .where(col(OptIn.topic_id) == topic_id, _usable(now), ~marks.keeps_out(), *among)
        .subquery()
    )
    return select(ranked.c.id, ranked.c.customer_id).where(ranked.c.rank == 1)


def standing(topic_id: int, now: datetime) -> Subquery:
    """(customer_id, reason) of everybody who ever opted in: `eligible` or why not."""
    weight = case(
        (_usable(now), _USABLE),
        (col(OptIn.state) == OptInState.AVAILABLE, _WEIGHTS[OptInState.EXPIRED]),
        *((col(OptIn.state) == state, weight) for state, weight in _WEIGHTS.items()),
        else_=0,
    )
    held = (
        select(col(OptIn.customer_id).label("customer_id"), func.max(weight).label("weight"))
        .where(col(OptIn.topic_id) == topic_id, col(OptIn.customer_id).is_not(None))
        .group_by(col(OptIn.customer_id))
        .subquery()
    )
    unreachable = exists().where(col(Customer.id) == held.c.customer_id, marks.keeps_out())
    reason = case(
        (and_(held.c.weight == _USABLE, unreachable), literal("unreachable")),
        (held.c.weight == _USABLE, literal(ELIGIBLE)),
        *((held.c.weight == _WEIGHTS[state], literal(said)) for state, said in _SAID.items()),
        else_=literal("withdrawn"),
    )
    return select(held.c.customer_id, reason.label("reason")).subquery()


# The most telling of a customer's opt-ins decides; one number for each, so that one pass will do.
_USABLE = 9
_WEIGHTS = {
    OptInState.RESERVED: 4,
    OptInState.REFUSED: 3,
    OptInState.SPENT: 2,
    OptInState.EXPIRED: 1,
}
_SAID = {
    OptInState.RESERVED: "reserved",
    OptInState.REFUSED: "refused",
    OptInState.SPENT: "used",
    OptInState.EXPIRED: "expired",
}


def _usable(now: datetime) -> ColumnElement[bool]:
    return and_(col(OptIn.state) == OptInState.AVAILABLE, col(OptIn.expires_at) > now)
