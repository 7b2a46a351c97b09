"""What a broadcast achieves beyond being sent, each as the condition that one of its deliveries meets.

The same condition counts the people and lists them, so a number and the people behind it are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.db.tables import Customer, Delivery, Request, Withdrawal
from core.deliveries.rules import UNREACHABLE_REASONS, DeliveryState

AFTERWARDS = timedelta(days=30)  # what happens later has other reasons
Condition = ColumnElement[bool]


class Result(StrEnum):
    """What became of a delivery that was sent."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    CLICKED = "clicked"
    REPLIED = "replied"  # wrote or tapped a button within a day
    BLOCKED = "blocked"  # cannot be reached since, and got nothing in between
    WITHDREW = "withdrew"  # said no within a month
    ASKED_AGAIN = "asked_again"  # was asked about the topic once more within a month
    AGREED_AGAIN = "agreed_again"  # and tapped


@dataclass(frozen=True)
class Span:
    """About what a broadcast was, and until when what follows is taken for its effect."""

    topic_id: int | ColumnElement[int]
    until: datetime | ColumnElement[datetime]


def span_of(topic_id: int, started_at: datetime | None) -> Span:
    """The topic and the time in which results of a broadcast lie."""
    return Span(topic_id, last_moment(started_at))


def last_moment(started_at: datetime | None) -> datetime:
    """Until when what follows a broadcast is taken for its effect. One that has not started has none."""
    return started_at + AFTERWARDS if started_at else datetime.min.replace(tzinfo=UTC)


def condition_of(result: Result, span: Span) -> Condition:
    """The condition that a delivery of a broadcast has that result. It was sent in any case."""
    return _is_sent(span) & _CONDITIONS[result](span)


def _is_sent(_span: Span) -> Condition:
    return col(Delivery.state) == DeliveryState.SENT


def _is_delivered(_span: Span) -> Condition:
    return or_(col(Delivery.delivered_at).is_not(None), col(Delivery.read_at).is_not(None))


def _is_blocked(_span: Span) -> Condition:
    """Marked as unreachable by what was sent after it: that is when we learn of it."""
    person, later = aliased(Customer), aliased(Delivery)  # the lists join customers, too
    others = select(col(later.id)).where(
        col(later.customer_id) == col(person.id),
        col(later.state) == DeliveryState.SENT,
        col(later.settled_at) > col(Delivery.settled_at),
        col(later.settled_at) <= col(person.unreachable_at),
    )
    got_another = others.correlate_except(later).exists()
    return exists().where(
        col(person.id) == col(Delivery.customer_id),
        col(person.unreachable_code).in_(UNREACHABLE_REASONS),
        col(person.unreachable_at) > col(Delivery.settled_at),
        ~got_another,
    )


def _has_withdrawn(span: Span) -> Condition:
    return exists().where(
        col(Withdrawal.customer_id) == col(Delivery.customer_id),
        or_(col(Withdrawal.topic_id).is_(None), col(Withdrawal.topic_id) == span.topic_id),
        col(Withdrawal.at) > col(Delivery.settled_at),
        col(Withdrawal.at) <= span.until,
    )


def _was_asked(span: Span, *more: Condition) -> Condition:
    return exists().where(
        col(Request.customer_id) == col(Delivery.customer_id),
        col(Request.topic_id) == span.topic_id,
        col(Request.created_at) > col(Delivery.claimed_at),
        col(Request.created_at) <= span.until,
        *more,
    )


_CONDITIONS: dict[Result, Callable[[Span], Condition]] = {
    Result.SENT: _is_sent,
    Result.DELIVERED: _is_delivered,
    Result.READ: lambda _span: col(Delivery.read_at).is_not(None),
    Result.CLICKED: lambda _span: col(Delivery.clicked_at).is_not(None),
    Result.REPLIED: lambda _span: col(Delivery.replied_at).is_not(None),
    Result.BLOCKED: _is_blocked,
    Result.WITHDREW: _has_withdrawn,
    Result.ASKED_AGAIN: _was_asked,
    Result.AGREED_AGAIN: lambda span: _was_asked(span, col(Request.tapped_at).is_not(None)),
}
