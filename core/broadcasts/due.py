"""What is due now: one cheap look at the tables for all that the clock does with broadcasts.

The worker looks several times a second, and runs an action (of scheduled_jobs.py, audience_builder.py,
canary.py or the breaker) only when the look finds something for it. The actions choose their broadcasts by
the same conditions, which are kept here.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlmodel import col

from core.broadcasts import audience_builder
from core.broadcasts.rules import BroadcastState
from core.consent import topics_in_use
from core.db import bulk
from core.db.engine import glancing
from core.db.holding import is_free
from core.db.tables import AudienceProgress, Broadcast, Delivery, Fanpage, RecentOutcomes, UtcTime
from core.deliveries.breaker import SMALL_RUN
from core.deliveries.recent_outcomes import Scope
from core.deliveries.rules import DeliveryState

_UNSETTLED = [bulk.constant(each) for each in (DeliveryState.QUEUED, DeliveryState.SENDING)]


class Due(StrEnum):
    """One kind of work that the clock does for broadcasts."""

    START = "start"  # scheduled, and its time has come
    BUILD_AUDIENCE = "build_audience"  # some of its people have no delivery yet
    JUDGE_CANARY = "judge_canary"  # each delivery of its first part has an outcome
    END_LATE = "end_late"  # past its best-before
    JUDGE_REFUSALS = "judge_refusals"  # so many were refused that the breaker may have to pause it
    FINISH = "finish"  # each of its deliveries has an outcome


def look(*, now: datetime) -> set[Due]:
    """The kinds of work for which there is something to do at this time."""
    with glancing() as db:
        row = _looking().run(db, {"now": bulk.stamp(now)}).one()
    return {due for due, is_due in zip(Due, row, strict=True) if is_due}


@cache
def _looking() -> bulk.CompiledStatement:
    now = bindparam("now", type_=UtcTime)
    broadcast: Select[Any] = select(col(Broadcast.id))
    of_fanpage = broadcast.join(Fanpage, col(Fanpage.id) == col(Broadcast.fanpage_id))
    found = {
        Due.START: of_fanpage.where(may_start(now)),
        Due.BUILD_AUDIENCE: select(col(AudienceProgress.broadcast_id)),
        Due.JUDGE_CANARY: broadcast.where(has_ended_canary()),
        Due.END_LATE: broadcast.where(or_(is_missed(now), is_running_late(now))),
        Due.JUDGE_REFUSALS: broadcast.where(may_trip()),
        Due.FINISH: broadcast.where(is_done(now)),
    }
    return bulk.CompiledStatement(select(*[found[due].exists().label(due.value) for due in Due]))


def may_start(now: Any) -> ColumnElement[bool]:
    """The condition that a broadcast, joined with its fanpage, is to be started."""
    return and_(
        _is(BroadcastState.SCHEDULED),
        col(Broadcast.due_at) <= now,
        col(Fanpage.stopped_code).is_(None),
        col(Fanpage.otn_off_at).is_(None),
        topics_in_use.is_topic_free(),
        is_free(),
    )


def is_missed(now: Any) -> ColumnElement[bool]:
    """The condition that a scheduled broadcast has passed its best-before."""
    return and_(_is(BroadcastState.SCHEDULED), _is_past_best_before(now))


def is_running_late(now: Any) -> ColumnElement[bool]:
    """The condition that a broadcast that has started is past its best-before."""
    running = bulk.one_of(col(Broadcast.state), [BroadcastState.SENDING, BroadcastState.PAUSED])
    return and_(running, _is_past_best_before(now))


def has_ended_canary() -> ColumnElement[bool]:
    """The condition that each delivery of a sending broadcast's first part has an outcome, and that this part
    has not been judged yet."""
    return and_(
        _is(BroadcastState.SENDING),
        col(Broadcast.canary_last_id).is_not(None),
        col(Broadcast.canary_passed_at).is_(None),
        _unsettled(col(Delivery.id) <= col(Broadcast.canary_last_id)).is_(None),
    )


def may_trip() -> ColumnElement[bool]:
    """The condition that a sending broadcast has enough refusals among its recent outcomes for the breaker.

    The outcomes are looked up by their key for each sending broadcast: those of ended broadcasts are kept as
    well, and SQLite would otherwise read them all.
    """
    of_it = (
        col(RecentOutcomes.scope) == bulk.constant(Scope.BROADCAST),
        (col(RecentOutcomes.ref_id) == col(Broadcast.id)),
    )
    refusals = select(func.json_array_length(col(RecentOutcomes.refusals))).where(*of_it)
    enough: ColumnElement[bool] = refusals.correlate(Broadcast).scalar_subquery() >= SMALL_RUN
    return and_(_is(BroadcastState.SENDING), enough)


def is_done(now: Any) -> ColumnElement[bool]:
    """The condition that a broadcast is sending, or paused past its best-before, and has nothing left to
    send."""
    late = and_(_is(BroadcastState.PAUSED), _is_past_best_before(now))
    is_over = or_(_is(BroadcastState.SENDING), late)
    return and_(is_over, audience_builder.is_complete(), _unsettled().is_(None))


def _unsettled(*which: ColumnElement[bool]) -> ColumnElement[int | None]:
    """One of these deliveries of the broadcast that has no outcome yet; NULL without one. The limit makes
    PostgreSQL look up one row for each broadcast; it would read all that is queued for NOT EXISTS."""
    mine = col(Delivery.broadcast_id) == col(Broadcast.id), col(Delivery.state).in_(_UNSETTLED)
    return select(col(Delivery.id)).where(*mine, *which).limit(1).scalar_subquery()


def _is(state: BroadcastState) -> ColumnElement[bool]:
    return col(Broadcast.state) == bulk.constant(state)


def _is_past_best_before(now: Any) -> ColumnElement[bool]:
    is_past: ColumnElement[bool] = col(Broadcast.best_before) <= now
    return is_past
