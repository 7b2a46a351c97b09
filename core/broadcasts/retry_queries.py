"""Which deliveries of a broadcast may be sent after all: chosen for a retry, and counted before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlmodel import col

from core.consent import eligibility
from core.consent.audience_filters import AudienceFilters, filters_of
from core.consent.rules import OptInState
from core.db.engine import reading
from core.db.tables import Broadcast, Customer, Delivery, OptIn
from core.deliveries.rules import UNDECIDED_REASONS, DeliveryState

REST = (DeliveryState.SKIPPED, DeliveryState.CANCELLED)  # never tried


@dataclass(frozen=True)
class RetryChances:
    """How many a retry of the failed, or a send to the rest, would reach; retry.py does it."""

    failed: int  # whose opt-in is still theirs to use
    rest: int  # skipped or cancelled before an attempt
    undecided: int  # of the failed: those whose opt-in is kept until staff decide


def retry_chances(broadcast_id: int, *, now: datetime) -> RetryChances:
    """The figures behind the two buttons that an ended broadcast offers."""
    undecided_people = func.sum(case((col(OptIn.state) == OptInState.RESERVED, 1), else_=0))
    again = or_(_is_refused(), _is_undecided(), _is_released(DeliveryState.FAILED), _is_released(*REST))
    with reading() as db:
        filters = filters_of(db.get_one(Broadcast, broadcast_id).filters)
        statement = (
            _deliveries(broadcast_id, filters, now, again)
            .with_only_columns(col(Delivery.state), func.count(), undecided_people)
            .group_by(col(Delivery.state))
        )
        rows = db.execute(statement).all()
    counts = {state: people for state, people, _ in rows}
    return RetryChances(
        failed=counts.get(DeliveryState.FAILED, 0),
        rest=sum(counts.get(state, 0) for state in REST),
        undecided=sum(kept for _, _, kept in rows),
    )


def refused(broadcast_id: int, filters: AudienceFilters, now: datetime) -> Select[int | None]:
    """Failed deliveries whose opt-in the platform refused: staff may make it available again."""
    return _deliveries(broadcast_id, filters, now, _is_refused())


def undecided(broadcast_id: int, filters: AudienceFilters, now: datetime) -> Select[int | None]:
    """Failed deliveries that keep their own opt-in until staff decide."""
    return _deliveries(broadcast_id, filters, now, _is_undecided())


def released(
    broadcast_id: int, filters: AudienceFilters, states: tuple[DeliveryState, ...], now: datetime
) -> Select[int | None]:
    """Deliveries that ended in one of these states and whose opt-in is available."""
    return _deliveries(broadcast_id, filters, now, _is_released(*states))


def _deliveries(
    broadcast_id: int, filters: AudienceFilters, now: datetime, which: ColumnElement[bool]
) -> Select[int | None]:
    return (
        select(col(Delivery.id))
        .join(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))
        .join(Customer, col(Customer.id) == col(Delivery.customer_id))
        .where(col(Delivery.broadcast_id) == broadcast_id, which, *eligibility.may_go_again(now, filters))
    )


def _is_refused() -> ColumnElement[bool]:
    return and_(col(Delivery.state) == DeliveryState.FAILED, col(OptIn.state) == OptInState.REFUSED)


def _is_undecided() -> ColumnElement[bool]:
    """An opt-in that is reserved for another broadcast is not theirs: only these reasons leave an opt-in
    reserved."""
    own = col(Delivery.reason).in_(UNDECIDED_REASONS)
    return and_(col(Delivery.state) == DeliveryState.FAILED, col(OptIn.state) == OptInState.RESERVED, own)


def _is_released(*states: DeliveryState) -> ColumnElement[bool]:
    return and_(col(Delivery.state).in_(states), col(OptIn.state) == OptInState.AVAILABLE)
