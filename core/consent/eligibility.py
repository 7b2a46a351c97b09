"""Who may get a broadcast on a topic, and why everybody else who once opted in is left out.

REASONS is the only place that says so. The dry run, the lists of people, the figures of topics and customers,
the start of a broadcast and every retry are built from it, so that a reason added there reaches all of them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Exists,
    Select,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.consent import filter_reasons
from core.consent.audience_filters import EVERYBODY, AudienceFilters
from core.consent.eligibility_reason import Reason
from core.consent.rules import OptInState
from core.consent.weekly_cap import has_had_enough
from core.customers import unreachable_marks
from core.db.tables import Customer, Delivery, OptIn
from core.deliveries.rules import LIVE, DeliveryState
from core.errors import N_

ELIGIBLE = "eligible"
UNREACHABLE = "unreachable"
ENOUGH = "enough"


def has_ended(now: datetime) -> ColumnElement[bool]:
    """Whether the year of an opt-in is over, also when the worker has not marked it as expired yet."""
    return col(OptIn.expires_at) <= now


# The reason nearest to getting the broadcast first: it is the one given to a customer with several opt-ins.
# What concerns the customer is asked only of those who hold an opt-in that could be used.
REASONS: tuple[Reason, ...] = (
    Reason(
        UNREACHABLE,
        N_("Can't be reached"),
        N_("Blocked the fanpage or can't be reached; the opt-in is kept"),
        customer=lambda _now: unreachable_marks.keeps_out(),
    ),
    Reason(
        ENOUGH,
        N_("Weekly limit reached"),
        N_("Already got as many broadcasts in seven days as the fanpage allows; they can be notified later"),
        customer=has_had_enough,
        is_temporary=True,
    ),
    Reason(
        "reserved",
        N_("On hold for another broadcast"),
        N_("The opt-in is on hold for another broadcast"),
        state=OptInState.RESERVED,
    ),
    Reason(
        "refused",
        N_("Opt-in refused"),
        N_("Messenger refused the opt-in; your team can make it available again"),
        state=OptInState.REFUSED,
    ),
    Reason(
        "used",
        N_("Already notified"),
        N_("The opt-in has been used; they need to be asked again"),
        state=OptInState.SPENT,
    ),
    Reason(
        "expired",
        N_("Opt-in ended"),
        N_("The opt-in is over a year old"),
        state=OptInState.EXPIRED,
        opt_in=has_ended,
    ),
    Reason(
        "withdrawn",
        N_("Opted out"),
        N_("The customer opted out"),
        state=OptInState.WITHDRAWN,
    ),
)


def reason(code: str) -> Reason:
    """The reason with this code; raises KeyError when there is none."""
    return {each.code: each for each in (*filter_reasons.EVERY_REASON, *REASONS)}[code]


def reasons_with(filters: AudienceFilters) -> tuple[Reason, ...]:
    """All reasons to be left out of a broadcast with these filters. What staff have not chosen comes first:
    so the other figures are of those whom they have."""
    return (*filter_reasons.reasons_of(filters), *REASONS)


def is_usable(now: datetime, filters: AudienceFilters = EVERYBODY) -> ColumnElement[bool]:
    """Whether an opt-in may be used now, whoever holds it."""
    return and_(col(OptIn.state) == OptInState.AVAILABLE, has_no_obstacle(now, filters))


def has_no_obstacle(now: datetime, filters: AudienceFilters = EVERYBODY) -> ColumnElement[bool]:
    """The condition that no reason other than its state keeps an opt-in from being used now."""
    return and_(*(not_(each.opt_in(now)) for each in reasons_with(filters) if each.opt_in))


def is_kept_out(now: datetime, filters: AudienceFilters = EVERYBODY) -> ColumnElement[bool]:
    """Whether a customer gets nothing now, whatever opt-ins they hold."""
    return or_(*(each.customer(now) for each in reasons_with(filters) if each.customer))


def is_kept_out_indefinitely(now: datetime) -> ColumnElement[bool]:
    """Whether a customer gets nothing, with whatever opt-ins, for a reason that does not end by itself."""
    return or_(*(each.customer(now) for each in REASONS if each.customer and not each.is_temporary))


def is_eligible(now: datetime, filters: AudienceFilters = EVERYBODY) -> ColumnElement[bool]:
    """Whether an opt-in may be used now for the customer joined to it."""
    return and_(is_usable(now, filters), not_(is_kept_out(now, filters)))


def why_kept_out(now: datetime) -> ColumnElement[str]:
    """The code of the first reason that concerns a customer; NULL when there is none."""
    return case(*((each.customer(now), literal(each.code)) for each in REASONS if each.customer))


def is_unspent(now: datetime) -> ColumnElement[bool]:
    """Whether an opt-in can still bring its customer a notification: it is usable, or reserved by a delivery
    that has not been tried. One whose delivery is under way, or in doubt, counts as used."""
    waits = exists().where(
        col(Delivery.opt_in_id) == col(OptIn.id),
        col(Delivery.state) == DeliveryState.QUEUED,
        ~col(Delivery.in_doubt),
    )
    return or_(is_usable(now), and_(col(OptIn.state) == OptInState.RESERVED, waits))


def chosen_opt_ins(
    topic_id: int, now: datetime, *among: ColumnElement[bool], filters: AudienceFilters = EVERYBODY
) -> Select[int, int]:
    """(opt-in id, customer id): for each eligible customer of a topic the opt-in that ends first."""
    ranked = (
        select(
            col(OptIn.id).label("id"),
            col(OptIn.customer_id).label("customer_id"),
            func.row_number()
            .over(partition_by=col(OptIn.customer_id), order_by=(col(OptIn.expires_at), col(OptIn.id)))
            .label("rank"),
        )
        .join(Customer, col(Customer.id) == col(OptIn.customer_id))
        .where(col(OptIn.topic_id) == topic_id, is_eligible(now, filters), *among)
        .subquery()
    )
    return select(ranked.c.id, ranked.c.customer_id).where(ranked.c.rank == 1)


def reasons_of_customers(topic_id: int, now: datetime, filters: AudienceFilters = EVERYBODY) -> Subquery:
    """(customer_id, reason) of everybody who ever opted in to a topic: ELIGIBLE, or the code of a reason.

    One pass over the index (topic, state, customer, end) gives each customer the number of the reason of
    their best opt-in; customers are looked up only when that opt-in could be used.
    """
    reasons = reasons_with(filters)
    of_opt_ins = [each for each in reasons if each.state or each.opt_in]
    usable = len(reasons)
    numbers = {each.code: usable - place for place, each in enumerate(reasons, 1)}
    # An opt-in that two reasons concern is as far away as the farther one says.
    number = case(
        (is_usable(now, filters), usable),
        *((_holds(each, now), numbers[each.code]) for each in reversed(of_opt_ins)),
    )
    held = (
        select(col(OptIn.customer_id).label("customer_id"), func.max(number).label("number"))
        .where(col(OptIn.topic_id) == topic_id, col(OptIn.customer_id).is_not(None))
        .group_by(col(OptIn.customer_id))
        .subquery()
    )
    could_be_used = held.c.number == usable
    kept_out = _kept_out(reasons, held.c.customer_id, now)
    said = case(
        *((and_(could_be_used, found), literal(code)) for code, found in kept_out),
        (could_be_used, literal(ELIGIBLE)),
        *((held.c.number == numbers[each.code], literal(each.code)) for each in of_opt_ins),
    )
    return select(held.c.customer_id, said.label("reason")).subquery()


def _holds(of: Reason, now: datetime) -> ColumnElement[bool]:
    """Whether a reason concerns an opt-in."""
    available = col(OptIn.state) == OptInState.AVAILABLE
    found = [col(OptIn.state) == of.state] if of.state else []
    return or_(*found, and_(available, of.opt_in(now))) if of.opt_in else found[0]


def _kept_out(
    reasons: tuple[Reason, ...], customer_id: ColumnElement[int], now: datetime
) -> list[tuple[str, Exists]]:
    found = [(each.code, each.customer(now)) for each in reasons if each.customer]
    return [(code, exists().where(col(Customer.id) == customer_id, holds)) for code, holds in found]


def may_go_again(now: datetime, filters: AudienceFilters = EVERYBODY) -> tuple[ColumnElement[bool], ...]:
    """Whether a delivery that has ended may be sent after all, its opt-in and its customer joined to it. The
    state that the opt-in must have is for the caller to say."""
    return has_no_obstacle(now, filters), not_(is_kept_out(now, filters)), not_(is_reserved_elsewhere())


def is_reserved_elsewhere() -> Exists:
    """Whether another delivery has taken the opt-in of this one meanwhile."""
    other = aliased(Delivery)
    return exists().where(
        col(other.opt_in_id) == col(Delivery.opt_in_id),
        col(other.id) != col(Delivery.id),
        col(other.state).in_(LIVE),
    )
