"""Who a broadcast would reach: one reading of the ledger that the dry run, the lists and the launch share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal, select
from sqlmodel import col

from core.consent.rules import OptInState
from core.errors import N_
from core.tables import Customer, OptIn

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


def chosen_opt_ins(topic_id: int, now: datetime) -> Select[int, int]:
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
        .where(col(OptIn.topic_id) == topic_id, _usable(now), col(Customer.unreachable_at).is_(None))
        .subquery()
    )
    return select(ranked.c.id, ranked.c.customer_id).where(ranked.c.rank == 1).order_by(ranked.c.id)


def standing(topic_id: int, now: datetime) -> Subquery:
    """(customer_id, reason) of everybody who ever opted in: `eligible` or why not."""
    held = (
        select(
            col(OptIn.customer_id).label("customer_id"),
            _any(_usable(now)).label("usable"),
            *(_any(col(OptIn.state) == state).label(state.value) for state in _HELD),
            _any(and_(col(OptIn.state) == OptInState.AVAILABLE, col(OptIn.expires_at) <= now)).label("over"),
        )
        .where(col(OptIn.topic_id) == topic_id)
        .group_by(col(OptIn.customer_id))
        .subquery()
    )
    reason = case(
        (and_(held.c.usable == 1, col(Customer.unreachable_at).is_(None)), ELIGIBLE),
        (held.c.usable == 1, "unreachable"),
        (held.c.reserved == 1, "reserved"),
        (held.c.refused == 1, "refused"),
        (held.c.spent == 1, "used"),
        (held.c.expired + held.c.over > 0, "expired"),
        else_=literal("withdrawn"),
    )
    return (
        select(held.c.customer_id, reason.label("reason"))
        .join(Customer, col(Customer.id) == held.c.customer_id)
        .subquery()
    )


_HELD = (
    OptInState.RESERVED,
    OptInState.REFUSED,
    OptInState.SPENT,
    OptInState.EXPIRED,
    OptInState.WITHDRAWN,
)


def _usable(now: datetime) -> ColumnElement[bool]:
    return and_(col(OptIn.state) == OptInState.AVAILABLE, col(OptIn.expires_at) > now)


def _any(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.max(case((condition, 1), else_=0))
