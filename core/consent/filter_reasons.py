"""What each filter of an audience means: the reason for which it leaves somebody out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.consent.audience_filters import IMPORTED, AudienceFilters
from core.consent.eligibility_reason import Condition, Reason
from core.consent.rules import OptInSource
from core.customers import tags
from core.db.tables import Customer, Delivery, OptIn, Request
from core.deliveries.rules import LIVE
from core.errors import N_
from core.messenger.message_limits import MESSAGING_WINDOW


def _agreed_outside(filters: AudienceFilters) -> ColumnElement[bool]:
    agreed, first, end = col(OptIn.consented_at), filters.agreed_from, filters.agreed_before
    return or_(agreed < first if first else false(), agreed >= end if end else false())


def _came_otherwise(filters: AudienceFilters) -> ColumnElement[bool]:
    through = [
        and_(col(Request.entry_kind) == kind, col(Request.entry_value) == value)
        for kind, value in filters.entries
    ]
    asked = exists().where(col(Request.id) == col(OptIn.request_id), or_(false(), *through))
    imported = col(OptIn.source) == OptInSource.IMPORT if IMPORTED in filters.entries else false()
    return not_(or_(asked, imported))


def _has_not_written(filters: AudienceFilters, now: datetime) -> ColumnElement[bool]:
    closes_at = col(Customer.window_closes_at)
    return or_(closes_at.is_(None), closes_at < now + MESSAGING_WINDOW - timedelta(days=filters.wrote_days))


def _was_messaged(filters: AudienceFilters, now: datetime) -> ColumnElement[bool]:
    """What waits for them, or may have arrived, counts as well."""
    got = aliased(Delivery)
    lately = or_(
        col(got.settled_at).is_(None), col(got.settled_at) > now - timedelta(days=filters.quiet_days)
    )
    of_them = col(got.customer_id) == col(Customer.id), col(got.state).in_(LIVE), lately
    return exists().where(*of_them).correlate(Customer)


def _speaks_otherwise(filters: AudienceFilters) -> ColumnElement[bool]:
    language = func.substr(func.coalesce(col(Customer.locale), ""), 1, 2)
    return language.not_in(filters.languages)


def _has_no_such_tag(filters: AudienceFilters) -> ColumnElement[bool]:
    return not_(or_(false(), *(tags.has_tag(tag_id) for tag_id in filters.tags)))


def _always(condition: Callable[[AudienceFilters], ColumnElement[bool]], of: AudienceFilters) -> Condition:
    return lambda _now: condition(of)


def reasons_of(filters: AudienceFilters) -> tuple[Reason, ...]:
    """The reasons that these filters add, in the order in which the panel offers them."""
    found = []
    if filters.agreed_from or filters.agreed_before:
        found.append(
            Reason(
                "agreed_outside",
                N_("Agreed at another time"),
                N_("They agreed before or after the chosen days"),
                opt_in=_always(_agreed_outside, filters),
            )
        )
    if filters.entries:
        found.append(
            Reason(
                "other_entry",
                N_("Another entry point"),
                N_("They agreed through an entry point that was not chosen"),
                opt_in=_always(_came_otherwise, filters),
            )
        )
    if filters.wordings:
        found.append(
            Reason(
                "other_wording",
                N_("Another wording"),
                N_("They agreed to a wording that was not chosen"),
                opt_in=lambda _now: col(OptIn.promise).not_in(filters.wordings),
            )
        )
    if filters.wrote_days:
        found.append(
            Reason(
                "silent",
                N_("Has not written recently"),
                N_("They have not written within the chosen days"),
                customer=lambda now: _has_not_written(filters, now),
            )
        )
    if filters.quiet_days:
        found.append(
            Reason(
                "messaged",
                N_("Got a broadcast recently"),
                N_("They got a broadcast within the chosen days, or one is on its way"),
                customer=lambda now: _was_messaged(filters, now),
            )
        )
    if filters.languages:
        found.append(
            Reason(
                "other_language",
                N_("Another language"),
                N_("Their Messenger is set to a language that was not chosen"),
                customer=_always(_speaks_otherwise, filters),
            )
        )
    if filters.tags:
        found.append(
            Reason(
                "other_tag",
                N_("Another tag"),
                N_("They have none of the tags that were chosen"),
                customer=_always(_has_no_such_tag, filters),
            )
        )
    return tuple(found)


ALL = AudienceFilters(
    agreed_from=datetime.min,
    entries=(("", ""),),
    wordings=("",),
    wrote_days=1,
    quiet_days=1,
    languages=("",),
    tags=(0,),
)
# Every reason that some filter may add, for the words of a code.
EVERY_REASON = reasons_of(ALL)
