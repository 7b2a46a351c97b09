"""What the worker reads to know where work waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, bindparam, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.broadcasts import canary
from core.broadcasts.rules import BroadcastState, DeliveryState
from core.conversation.rules import ReplyState
from core.database import reading
from core.db import bulk
from core.holding import is_free
from core.sending.claims import is_due
from core.sending.pace import Speed, is_held, speed_now
from core.sending.rules import FARTHEST_TRY
from core.tables import Broadcast, Delivery, Fanpage, Pace, Reply, UtcTime

ALMOST = timedelta(seconds=0.5)  # nothing sets out so shortly before its best-before


@dataclass(frozen=True)
class Sending:
    """A broadcast that may send."""

    content: dict[str, Any]
    best_before: datetime | None


@dataclass(frozen=True)
class Work:
    """What one fanpage has to send right now."""

    speed: Speed
    broadcasts: dict[int, Sending]  # by id
    replies: bool


def fanpages_with_work(*, now: datetime) -> list[int]:
    """Fanpages that may send and have something that may be tried now. Asked of the broadcasts that send and
    the replies that wait: of fanpages there may be far more."""
    given = {"now": now, "soon": now + ALMOST, "far": now + FARTHEST_TRY, "at": now.timestamp()}
    with reading() as db:
        return sorted(db.execute(_with_work(), given).scalars())


@lru_cache
def _with_work() -> Select[Any]:
    now, far = bindparam("now", type_=UtcTime), bindparam("far", type_=UtcTime)
    # With a limit it is looked up for each broadcast; else PostgreSQL would read all that is queued.
    waiting = (
        select(col(Delivery.id))
        .where(
            col(Delivery.broadcast_id) == col(Broadcast.id),
            canary.may_be_sent(),
            *_waiting(Delivery, now, far),
        )
        .order_by(col(Delivery.id))
        .limit(1)
        .scalar_subquery()
    )
    sending = select(col(Broadcast.fanpage_id)).where(
        col(Broadcast.state) == BroadcastState.SENDING,
        _in_time(bindparam("soon", type_=UtcTime)),
        waiting.is_not(None),
    )
    answering = _next_replies(now, far).with_only_columns(col(Reply.fanpage_id))
    return (
        select(col(Fanpage.id))
        .join(Pace, col(Pace.fanpage_id) == col(Fanpage.id))
        .where(
            col(Fanpage.id).in_(sending.union(answering)),
            col(Fanpage.stopped_code).is_(None),
            is_free(),
            ~is_held(bindparam("at", type_=Float(53))),
        )
    )


def work_of(fanpage_ids: Sequence[int], *, now: datetime) -> dict[int, Work]:
    """By fanpage; one that is stopped or gone, or held with all others, is left out: nothing of it may
    leave. Asked all the time, so two reads for all of them."""
    times = {"now": now, "soon": now + ALMOST, "far": now + FARTHEST_TRY}
    given = {**bulk.bound_ids(fanpage_ids), **times}
    with reading() as db:
        rows = db.execute(_pace_and_replies(), given).all()
        sending: dict[int, dict[int, Sending]] = {row[0]: {} for row in rows}
        if rows:
            for fanpage_id, broadcast_id, content, best_before in db.execute(_sending(), given):
                if fanpage_id in sending:
                    sending[fanpage_id][broadcast_id] = Sending(content, best_before)
    at = now.timestamp()
    return {
        fanpage_id: Work(speed_now(*pace, at=at), sending[fanpage_id], replies)
        for fanpage_id, *pace, replies in rows
    }


@lru_cache
def _pace_and_replies() -> Any:
    """Built once: building costs more than asking."""
    now, far = bindparam("now", type_=UtcTime), bindparam("far", type_=UtcTime)
    answers = _next_replies(now, far).where(col(Reply.fanpage_id) == col(Fanpage.id))
    return (
        select(
            col(Fanpage.id),
            col(Fanpage.rate),
            col(Pace.held_until),
            col(Pace.held_at),
            col(Pace.factor),
            col(Pace.factor_at),
            answers.exists(),
        )
        .join(Pace, col(Pace.fanpage_id) == col(Fanpage.id))
        .where(
            col(Fanpage.id).in_(_fanpages()),
            col(Fanpage.stopped_code).is_(None),
            is_free(),
        )
    )


@lru_cache
def _sending() -> Select[Any]:
    return (
        select(
            col(Broadcast.fanpage_id), col(Broadcast.id), col(Broadcast.content), col(Broadcast.best_before)
        )
        .where(
            col(Broadcast.fanpage_id).in_(_fanpages()),
            col(Broadcast.state) == BroadcastState.SENDING,
            _in_time(bindparam("soon", type_=UtcTime)),
        )
        .order_by(col(Broadcast.id))
    )


def _fanpages() -> Any:
    return bulk.rows_given(bulk.columns_of(Fanpage, "id"))


def _in_time(soon: Any) -> ColumnElement[bool]:
    return or_(col(Broadcast.best_before).is_(None), col(Broadcast.best_before) > soon)


def _next_replies(now: Any, far: Any) -> Select[int | None]:
    """Replies that may be claimed: no earlier one of the same customer is still on its way."""
    earlier = aliased(Reply)
    blocked = exists().where(
        col(earlier.customer_id) == col(Reply.customer_id),
        col(earlier.id) < col(Reply.id),
        col(earlier.state).in_([ReplyState.QUEUED, ReplyState.SENDING]),
    )
    return select(col(Reply.id)).where(*_waiting(Reply, now, far), ~blocked)


def _waiting(table: type[Delivery] | type[Reply], now: Any, far: Any) -> tuple[Any, ...]:
    queued = DeliveryState.QUEUED if table is Delivery else ReplyState.QUEUED
    return (col(table.state) == queued, is_due(col(table.next_try_at), now, far))
