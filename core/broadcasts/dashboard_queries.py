"""What the overview and the stepper show beside a dry run: usable opt-ins, clashes, first steps, answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Integer, and_, case, func, literal_column, select
from sqlmodel import col

from core.broadcasts.canary import outcome_of
from core.broadcasts.rules import BroadcastState
from core.consent import eligibility
from core.consent.audience_filters import EVERYBODY, AudienceFilters, filters_of
from core.conversation.blocks.registry import kinds_that_ask
from core.db.engine import reading
from core.db.tables import (
    Block,
    Broadcast,
    Customer,
    Delivery,
    Fanpage,
    Message,
    OptIn,
    SetUpConfirmation,
    Topic,
)
from core.deliveries.rules import DeliveryState
from core.fanpages.rules import OTN_UNCONFIRMED


@dataclass(frozen=True)
class Stock:
    """Opt-ins of a topic that could be used now. A broadcast uses one per customer."""

    people: int
    opt_ins: int
    stacked: int  # people who hold more than one, so that the next broadcast reaches them as well


@dataclass(frozen=True)
class Clash:
    """Another scheduled broadcast on the same topic: the first to start takes the opt-ins."""

    id: int
    name: str
    due_at: datetime | None
    filters: AudienceFilters = EVERYBODY


@dataclass(frozen=True)
class FirstSteps:
    """How far a newcomer has come with a fanpage."""

    permission: bool  # somebody has asked Facebook for one-time notifications, or a tap has proved it
    topic: bool
    request: bool  # a message in use asks for an opt-in
    opt_in: bool
    broadcast: bool  # one has been sent, or is being sent

    @property
    def done(self) -> bool:
        return self.permission and self.topic and self.request and self.opt_in and self.broadcast


def get_stock(topic_id: int, *, now: datetime) -> Stock:
    held = (
        select(func.count().label("held"))
        .select_from(OptIn)
        .join(Customer, col(Customer.id) == col(OptIn.customer_id))
        .where(col(OptIn.topic_id) == topic_id, eligibility.is_eligible(now))
        .group_by(col(OptIn.customer_id))
        .subquery()
    )
    stacked = func.sum(case((held.c.held > 1, 1), else_=0))
    with reading() as db:
        people, opt_ins, several = db.execute(select(func.count(), func.sum(held.c.held), stacked)).one()
    return Stock(people, int(opt_ins or 0), int(several or 0))


def count_sending() -> int:
    """How many broadcasts of all fanpages are being sent."""
    sending = select(func.count()).where(col(Broadcast.state) == BroadcastState.SENDING)
    with reading() as db:
        return int(db.execute(sending).scalar_one())


def list_clashes(topic_id: int, *, except_id: int | None = None) -> list[Clash]:
    """Broadcasts on the topic that wait for their time, the earliest first."""
    statement = (
        select(col(Broadcast.id), col(Broadcast.name), col(Broadcast.due_at), col(Broadcast.filters))
        .where(col(Broadcast.topic_id) == topic_id, col(Broadcast.state) == BroadcastState.SCHEDULED)
        .order_by(col(Broadcast.due_at), col(Broadcast.id))
    )
    with reading() as db:
        return [
            Clash(key or 0, name, due, filters_of(filters))
            for key, name, due, filters in db.execute(statement)
            if key != except_id
        ]


def first_steps(fanpage_id: int) -> FirstSteps:
    topic = select(col(Topic.id)).where(col(Topic.fanpage_id) == fanpage_id)
    request = (
        select(col(Block.id))
        .join(Message, col(Message.id) == col(Block.message_id))
        .where(
            col(Message.fanpage_id) == fanpage_id,
            col(Message.archived_at).is_(None),
            col(Block.kind).in_(kinds_that_ask()),
        )
    )
    opt_in = select(col(OptIn.id)).where(col(OptIn.fanpage_id) == fanpage_id)
    ticked = (
        col(SetUpConfirmation.scope) == col(Fanpage.page_id),
        col(SetUpConfirmation.code) == OTN_UNCONFIRMED,
    )
    is_demo = select(col(Fanpage.id)).where(col(Fanpage.id) == fanpage_id, col(Fanpage.is_demo))
    permission = (
        select(col(Fanpage.id)).join(SetUpConfirmation, and_(*ticked)).where(col(Fanpage.id) == fanpage_id)
    )
    broadcast = select(col(Broadcast.id)).where(
        col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.started_at).is_not(None)
    )
    with reading() as db:
        asked = (permission, is_demo, topic, request, opt_in, broadcast)
        found = [db.execute(each.limit(1)).first() is not None for each in asked]
    ticked_by_hand, demo, *steps = found
    has_opt_in = steps[2]
    return FirstSteps(ticked_by_hand or demo or has_opt_in, *steps)


@dataclass(frozen=True)
class PlatformAnswer:
    """An answer of the platform, without secrets, and how many deliveries it was given for."""

    reason: str | None
    detail: str
    people: int


def list_answers(broadcast_id: int, *, limit: int = 10) -> list[PlatformAnswer]:
    """The platform's answers about deliveries that were not sent, the most frequent first. Answers that
    differ only in their trace id count as one."""
    people, unsent = func.count(), col(Delivery.state) != DeliveryState.SENT
    with reading() as db:
        wording = _without_trace()
        statement = (
            select(col(Delivery.reason), func.max(col(Delivery.detail)), people)
            .where(col(Delivery.broadcast_id) == broadcast_id, col(Delivery.detail).is_not(None), unsent)
            .group_by(col(Delivery.reason), wording)
            .order_by(people.desc(), func.min(col(Delivery.id)))
            .limit(limit)
        )
        return [
            PlatformAnswer(reason, detail or "", count) for reason, detail, count in db.execute(statement)
        ]


def _without_trace() -> ColumnElement[str]:
    """An answer up to its trace id. Its numbers are literals, not bound parameters: the database must
    recognise the same expression in GROUP BY."""
    detail, none, first = col(Delivery.detail), literal_column("0", Integer), literal_column("1", Integer)
    trace = func.strpos(detail, literal_column("'\"fbtrace_id\"'"), type_=Integer)
    return case((trace > none, func.substr(detail, first, trace - first)), else_=detail)


@dataclass(frozen=True)
class UnknownOutcomes:
    """A broadcast with deliveries in state unknown, and how many; staff settle them."""

    broadcast_id: int
    name: str
    people: int


def list_unknown_outcomes(fanpage_id: int) -> list[UnknownOutcomes]:
    """Broadcasts of a fanpage with unknown outcomes, the oldest first; counted from the index alone."""
    of_it = col(Delivery.broadcast_id) == col(Broadcast.id)
    people = (
        select(func.count(col(Delivery.id)))
        .where(of_it, col(Delivery.state) == DeliveryState.UNKNOWN)
        .correlate(Broadcast)
        .scalar_subquery()
    )
    statement = (
        select(col(Broadcast.id), col(Broadcast.name), people)
        .where(col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.started_at).is_not(None))
        .order_by(col(Broadcast.id))
    )
    with reading() as db:
        return [UnknownOutcomes(key or 0, name, count) for key, name, count in db.execute(statement) if count]


@dataclass(frozen=True)
class FirstPart:
    """The canary of a broadcast under way."""

    size: int
    done: int
    failed: int
    blocked: int
    waits: bool  # the rest is not being sent yet


def get_first_part(broadcast_id: int) -> FirstPart | None:
    """How the first part of a broadcast stands; None when it has no first part, or has not started."""
    with reading() as db:
        row = db.get(Broadcast, broadcast_id)
        if row is None or row.canary_last_id is None:
            return None
        seen = outcome_of(db, row)
        waits = row.canary_passed_at is None
        return FirstPart(seen.size, seen.size - seen.left, seen.failed, seen.blocked, waits)
