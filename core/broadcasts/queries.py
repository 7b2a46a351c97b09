"""What pages and the command line read of broadcasts: dry runs, progress, deliveries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, false, func, or_, select
from sqlmodel import Session, col

from core.broadcasts import audience_builder
from core.broadcasts.draft_rules import saves_opt_ins
from core.broadcasts.results import Result, condition_of, span_of
from core.broadcasts.rules import FAILED_MUCH, BroadcastState
from core.consent import eligibility
from core.consent.audience_filters import EVERYBODY, AudienceFilters, filters_of
from core.db.engine import reading
from core.db.tables import Broadcast, Customer, Delivery, Fanpage, OptIn, Topic
from core.deliveries import failure_rules, recent_outcomes
from core.deliveries.failure_rules import Failing
from core.deliveries.recent_outcomes import Scope
from core.deliveries.rules import DELIVERY_STATES, DeliveryState
from core.errors import N_, NotFound
from core.text.identifiers import read_id
from core.text.matching import search_key
from core.text.normalise import is_blank


@dataclass(frozen=True)
class DryRun:
    audience: int
    eligible: int
    left_out: dict[str, int]  # code of eligibility.REASONS: people, in the order of the table
    rate: int
    in_window: int = 0  # of those eligible: whoever an opt-in saver would send an ordinary message

    def spends(self, *, saves_opt_ins: bool) -> int:
        """How many opt-ins the broadcast would use if it were sent now."""
        return self.eligible - self.in_window if saves_opt_ins else self.eligible

    @property
    def seconds_at_rate(self) -> float:
        return round(self.eligible / self.rate, 1)


@dataclass(frozen=True)
class BroadcastView:
    id: int
    fanpage_id: int
    rate: int
    timezone: str
    name: str
    topic_id: int
    topic: str
    content: dict[str, Any]
    state: str
    due_at: datetime | None
    best_before: datetime | None
    audience: int
    is_complete: bool  # False while the rest of the audience is still being added
    pause_code: str | None
    created_by: str
    launched_by: str
    version: int
    approved_version: int | None  # what is sent; None: nothing is approved
    approved_by: str
    approved_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: dict[str, int] = field(default_factory=dict)  # delivery state: deliveries, all states present
    reasons: dict[str, int] = field(default_factory=dict)
    open_reasons: dict[str, int] = field(default_factory=dict)  # of `reasons`, those of unknown outcomes
    delivered: int = 0
    read: int = 0
    filters: AudienceFilters = EVERYBODY
    saves_opt_ins: bool = False
    in_doubt: int = 0  # not ended yet, but an earlier attempt may have been accepted
    failing: Failing | None = None  # while it goes on by its last attempts, then by all of them

    @property
    def attempts(self) -> int:
        """How many were tried to the end: shares of what was sent or failed are shares of these."""
        return failure_rules.attempted(self.counts)

    @property
    def looks(self) -> str:
        """The state as its badge shows it: one that ended with many failures is not simply finished."""
        return FAILED_MUCH if self.state == BroadcastState.FINISHED and self.failing else self.state

    @property
    def balances(self) -> bool:
        """Whether the closing balance holds: everybody in the audience is in exactly one state."""
        return self.audience == sum(self.counts.values())


@dataclass(frozen=True)
class DeliveryView:
    id: int
    customer_id: int | None  # None, with an empty name and PSID: the customer was forgotten
    psid: str
    customer: str
    state: str
    reason: str | None
    evidence: str | None
    detail: str | None
    in_doubt: bool
    counted_attempts: int
    promise: str
    mid: str | None
    claimed_at: datetime | None
    settled_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    clicked_at: datetime | None
    replied_at: datetime | None
    # These are facts of the customer and prove nothing about this delivery: docs/decisions/0018.
    all_delivered_at: datetime | None
    all_read_at: datetime | None
    last_event_at: datetime | None


@dataclass(frozen=True)
class AudienceMember:
    customer_id: int
    psid: str
    name: str
    reason: str


@dataclass(frozen=True)
class PromiseCount:
    title: str
    people: int


def dry_run(topic_id: int, filters: AudienceFilters = EVERYBODY, *, now: datetime) -> DryRun:
    """Who would get a broadcast on this topic now, and who would not, by reason."""
    with reading() as db:
        topic = _topic(db, topic_id)
        customers = eligibility.reasons_of_customers(topic_id, now, filters)
        by_reason = select(customers.c.reason, func.count()).group_by(customers.c.reason)
        counts: dict[str, int] = dict(db.execute(by_reason).all())
        rate = db.execute(select(col(Fanpage.rate)).where(col(Fanpage.id) == topic.fanpage_id)).scalar_one()
        in_window = db.execute(_count_in_window(customers, now)).scalar_one()
    eligible = counts.pop(eligibility.ELIGIBLE, 0)
    reasons = eligibility.reasons_with(filters)
    left_out = {each.code: counts[each.code] for each in reasons if counts.get(each.code)}
    return DryRun(eligible + sum(left_out.values()), eligible, left_out, rate, in_window)


def _count_in_window(customers: Subquery, now: datetime) -> Select[int]:
    theirs = col(Customer.id) == customers.c.customer_id, col(Customer.window_closes_at) > now
    return (
        select(func.count())
        .select_from(customers)
        .join(Customer, and_(*theirs))
        .where(customers.c.reason == eligibility.ELIGIBLE)
    )


def list_audience(
    topic_id: int,
    reason: str,
    filters: AudienceFilters = EVERYBODY,
    *,
    now: datetime,
    offset: int = 0,
    limit: int = 50,
) -> list[AudienceMember]:
    """The customers behind one number of a dry run: ELIGIBLE, or the code of a reason."""
    customers = eligibility.reasons_of_customers(topic_id, now, filters)
    with reading() as db:
        rows = db.execute(
            select(Customer)
            .join(customers, customers.c.customer_id == col(Customer.id))
            .where(customers.c.reason == reason)
            .order_by(col(Customer.id))
            .offset(offset)
            .limit(limit)
        ).scalars()
        return [AudienceMember(row.id or 0, row.psid, _name(row), reason) for row in rows]


def list_promises(
    topic_id: int, filters: AudienceFilters = EVERYBODY, *, now: datetime, limit: int = 10
) -> list[PromiseCount]:
    """What those who would get a broadcast agreed to, most common wording first."""
    chosen = eligibility.chosen_opt_ins(topic_id, now, filters=filters).subquery()
    with reading() as db:
        rows = db.execute(
            select(col(OptIn.promise), func.count())
            .join(chosen, chosen.c.id == col(OptIn.id))
            .group_by(col(OptIn.promise))
            .order_by(func.count().desc(), func.min(col(OptIn.id)))
            .limit(limit)
        )
        return [PromiseCount(title, people) for title, people in rows]


def get_broadcast(broadcast_id: int) -> BroadcastView:
    with reading() as db:
        row = db.execute(_with_names().where(col(Broadcast.id) == broadcast_id)).one_or_none()
        if row is None:
            raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
        return _view(db, *row)


def list_broadcasts(fanpage_id: int | None) -> list[BroadcastView]:
    """All broadcasts with their balances, newest first. The lists of the panel use list_queries.py."""
    with reading() as db:
        chosen = _with_names().order_by(col(Broadcast.id).desc())
        if fanpage_id is not None:
            chosen = chosen.where(col(Broadcast.fanpage_id) == fanpage_id)
        return [_view(db, *row) for row in db.execute(chosen).all()]


def list_deliveries(
    broadcast_id: int,
    *,
    states: Sequence[str] = (),
    reason: str | None = None,
    arrival: str | None = None,
    search: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[DeliveryView]:
    """Deliveries of a broadcast in order. `arrival` is a word of `results.Result`: only those with it."""
    with reading() as db:
        rows = db.execute(
            _deliveries()
            .where(*_delivery_filters(db, broadcast_id, states, reason, arrival, search))
            .order_by(col(Delivery.id))
            .offset(offset)
            .limit(limit)
        )
        return [_delivery(*row) for row in rows]


def count_deliveries(
    broadcast_id: int,
    *,
    states: Sequence[str] = (),
    reason: str | None = None,
    arrival: str | None = None,
    search: str = "",
) -> int:
    with reading() as db:
        statement = select(func.count()).select_from(Delivery)
        if search:
            statement = statement.join(Customer, col(Customer.id) == col(Delivery.customer_id))
        filters = _delivery_filters(db, broadcast_id, states, reason, arrival, search)
        return int(db.execute(statement.where(*filters)).scalar_one())


def export_deliveries(broadcast_id: int, *, chunk: int = 2000) -> Iterator[DeliveryView]:
    """Every delivery in order, read in chunks so that a million rows need little memory."""
    after = 0
    while True:
        with reading() as db:
            rows = db.execute(
                _deliveries()
                .where(col(Delivery.broadcast_id) == broadcast_id, col(Delivery.id) > after)
                .order_by(col(Delivery.id))
                .limit(chunk)
            )
            views = [_delivery(*row) for row in rows]
        if not views:
            return
        yield from views
        after = views[-1].id


def _with_names() -> Any:
    return (
        select(Broadcast, col(Topic.name), Fanpage, audience_builder.so_far(), audience_builder.is_complete())
        .join(Topic, col(Topic.id) == col(Broadcast.topic_id))
        .join(Fanpage, col(Fanpage.id) == col(Broadcast.fanpage_id))
    )


def _view(
    db: Session, row: Broadcast, topic: str, fanpage: Fanpage, so_far: int, is_complete: bool
) -> BroadcastView:
    counts = dict.fromkeys((str(state) for state in DELIVERY_STATES), 0)
    reasons: dict[str, int] = {}
    open_reasons: dict[str, int] = {}
    failed_reasons: dict[str, int] = {}
    delivered = read = in_doubt = 0
    if row.started_at:
        for state, reason, doubt, people, arrived, seen in _tally(db, row.id or 0):
            counts[state] += people
            delivered, read = delivered + arrived, read + seen
            in_doubt += people if doubt and state in (DeliveryState.QUEUED, DeliveryState.SENDING) else 0
            if reason and state not in (DeliveryState.QUEUED, DeliveryState.SENDING):
                reasons[reason] = reasons.get(reason, 0) + people
            if reason and state == DeliveryState.FAILED:
                failed_reasons[reason] = failed_reasons.get(reason, 0) + people
            if reason and state == DeliveryState.UNKNOWN:
                open_reasons[reason] = open_reasons.get(reason, 0) + people
    return BroadcastView(
        id=row.id or 0,
        fanpage_id=row.fanpage_id,
        rate=fanpage.rate,
        timezone=fanpage.timezone,
        name=row.name,
        topic_id=row.topic_id,
        topic=topic,
        content=row.content,
        state=row.state,
        due_at=row.due_at,
        best_before=row.best_before,
        audience=so_far,
        is_complete=bool(is_complete),
        pause_code=row.pause_code,
        created_by=row.created_by,
        launched_by=row.launched_by,
        version=row.version,
        approved_version=row.approved_version,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=counts,
        reasons=reasons,
        open_reasons=open_reasons,
        delivered=delivered,
        read=read,
        filters=filters_of(row.filters),
        saves_opt_ins=saves_opt_ins(row.sender),
        in_doubt=in_doubt,
        failing=_failing(db, row, counts, failed_reasons),
    )


def _failing(
    db: Session, row: Broadcast, counts: dict[str, int], failed_reasons: dict[str, int]
) -> Failing | None:
    if row.state in (BroadcastState.SENDING, BroadcastState.PAUSED):
        key = (Scope.BROADCAST, row.id or 0)
        return failure_rules.recently_failing(recent_outcomes.recent(db, key))
    return failure_rules.failing(counts, failed_reasons)


def _tally(db: Session, broadcast_id: int) -> Sequence[tuple[str, str | None, bool, int, int, int]]:
    statement = (
        select(
            col(Delivery.state),
            col(Delivery.reason),
            col(Delivery.in_doubt),
            func.count(),
            func.count(col(Delivery.delivered_at)),
            func.count(col(Delivery.read_at)),
        )
        .where(col(Delivery.broadcast_id) == broadcast_id)
        .group_by(col(Delivery.state), col(Delivery.reason), col(Delivery.in_doubt))
    )
    return db.execute(statement).all()


def _deliveries() -> Any:
    return (
        select(Delivery, Customer, col(OptIn.promise))
        .outerjoin(Customer, col(Customer.id) == col(Delivery.customer_id))
        .outerjoin(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))
    )


def _delivery_filters(
    db: Session,
    broadcast_id: int,
    states: Sequence[str],
    reason: str | None,
    arrival: str | None,
    search: str,
) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = [col(Delivery.broadcast_id) == broadcast_id]
    if states:
        made.append(col(Delivery.state).in_(list(states)))
    if reason:
        made.append(col(Delivery.reason) == reason)
    if arrival:
        row = db.execute(
            select(col(Broadcast.topic_id), col(Broadcast.started_at)).where(
                col(Broadcast.id) == broadcast_id
            )
        ).one()
        made.append(condition_of(Result(arrival), span_of(row.topic_id, row.started_at)))
    if not is_blank(search):
        name, psid = search_key(search), read_id(search)
        named = col(Customer.search_text).contains(name, autoescape=True) if name else false()
        made.append(or_(named, col(Customer.psid) == psid) if psid else named)
    return made


def _delivery(row: Delivery, known: Customer | None, promise: str | None) -> DeliveryView:
    customer = known or Customer(psid="")
    return DeliveryView(
        id=row.id or 0,
        customer_id=row.customer_id,
        psid=customer.psid,
        customer=_name(customer),
        state=row.state,
        reason=row.reason,
        evidence=row.evidence,
        detail=row.detail,
        in_doubt=row.in_doubt,
        counted_attempts=row.tries,
        promise=promise or "",
        mid=row.mid,
        claimed_at=row.claimed_at,
        settled_at=row.settled_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        clicked_at=row.clicked_at,
        replied_at=row.replied_at,
        all_delivered_at=customer.delivered_watermark,
        all_read_at=customer.read_watermark,
        last_event_at=customer.last_event_at,
    )


def _name(customer: Customer) -> str:
    return " ".join(part for part in (customer.last_name, customer.first_name) if part)


def _topic(db: Session, topic_id: int) -> Topic:
    topic = db.get(Topic, topic_id)
    if topic is None:
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    return topic
