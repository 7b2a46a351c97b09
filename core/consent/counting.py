"""Counts the opt-ins of each fanpage by day, topic and end; the worker does it now and then, so that every
page reads one row.

Days are those of the fanpage's zone, to the hour: where a zone is off by half an hour, what happened in that
half hour counts for the day beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import BigInteger, ColumnElement, Select, String, and_, bindparam, cast, func, or_, select
from sqlmodel import Session, col

from core.consent import eligibility
from core.consent.rules import LIFETIME, SAFETY_MARGIN, OptInState
from core.db.engine import reading, transaction
from core.db.tables import Customer, Fanpage, OptIn, OptInCount, Topic, UtcTime

log = structlog.get_logger(__name__)
DAYS = 31  # of the past that are told apart
SINGLE_DAYS = 62  # of the future that are told apart; what ends later is told by month
MOST_HELD = 9  # opt-ins of one person and topic that are told apart
LIFE = LIFETIME - SAFETY_MARGIN
FRESH = timedelta(seconds=20)
SHARE = 100  # the counting of a fanpage takes at most a hundredth of the time
AT_ONCE_SECONDS = 0.05  # beside hundreds of fanpages the rest is for the next time: sending goes first
# What is bound to the statements below.
_NOW: Any = bindparam("now", type_=UtcTime())
_FANPAGE_ID: Any = bindparam("fanpage_id", type_=BigInteger())
_TOPICS = select(col(Topic.id)).where(col(Topic.fanpage_id) == _FANPAGE_ID)


def count_opt_ins(*, now: datetime) -> None:
    """Count the fanpages that are due, those that were counted longest ago first, as many as there is time
    for. The more there is to count, the more rarely it is counted."""
    statement = select(
        col(Fanpage.id), col(Fanpage.timezone), col(OptInCount.counted_at), col(OptInCount.seconds)
    ).outerjoin(OptInCount, col(OptInCount.fanpage_id) == col(Fanpage.id))
    with reading() as db:
        known = db.execute(statement.order_by(col(Fanpage.id))).all()
    due = [
        (counted_at is not None, counted_at, fanpage_id or 0, zone)
        for fanpage_id, zone, counted_at, seconds in known
        if counted_at is None or counted_at + max(FRESH, timedelta(seconds=SHARE * (seconds or 0.0))) <= now
    ]
    until = time.monotonic() + AT_ONCE_SECONDS
    for *_, fanpage_id, zone in sorted(due):
        try:
            count_fanpage(fanpage_id, ZoneInfo(zone), now=now)
        except Exception as problem:  # the others are counted all the same
            log.exception("opt_ins_not_counted", fanpage_id=fanpage_id, error=type(problem).__name__)
        if time.monotonic() >= until:
            break


def count_fanpage(fanpage_id: int, zone: ZoneInfo, *, now: datetime) -> None:
    """Count the opt-ins of one fanpage."""
    began = time.monotonic()
    since = now - timedelta(days=DAYS)
    given = {"fanpage_id": fanpage_id, "now": now, "since": since, "agreed_since": since + LIFE}
    with reading() as db:
        found = OptInCount(
            fanpage_id=fanpage_id,
            counted_at=now,
            agreed=_by_day(db.execute(_counting_agreed(), given), zone, earlier=LIFE),
            lapsed=_by_day(db.execute(_counting_lapsed(), given), zone),
            held=_held(db, given),
            ends=_ends(db, given, zone),
        )
    found.seconds = time.monotonic() - began
    with transaction() as db:
        db.merge(found)


# The statements are made once, with what changes bound to them: to make one takes longer than to run it.


@cache
def _counting_agreed() -> Select[Any]:
    """By their ends, since the index (fanpage, end) leads to them: each ends LIFE after it was given."""
    return _by_hour(col(OptIn.expires_at) >= bindparam("agreed_since", type_=UtcTime()))


@cache
def _counting_lapsed() -> Select[Any]:
    """Those whose year ended unused, marked as expired or not yet."""
    ended = and_(col(OptIn.state) == OptInState.AVAILABLE, eligibility.has_ended(_NOW))
    return _by_hour(
        col(OptIn.expires_at) >= bindparam("since", type_=UtcTime()),
        col(OptIn.expires_at) <= _NOW,
        or_(col(OptIn.state) == OptInState.EXPIRED, ended),
    )


def _by_hour(*chosen: ColumnElement[bool]) -> Select[Any]:
    hour = _hour(col(OptIn.expires_at))
    return select(hour, func.count()).where(col(OptIn.fanpage_id) == _FANPAGE_ID, *chosen).group_by(hour)


def _hour(at: Any) -> Any:
    return func.substr(cast(at, String), 1, 13)  # both databases write times alike


def _by_day(hours: Iterable[Any], zone: ZoneInfo, *, earlier: timedelta = timedelta(0)) -> dict[str, int]:
    found: dict[str, int] = {}
    for hour, opt_ins in hours:
        day = _local(hour, zone, earlier).date().isoformat()
        found[day] = found.get(day, 0) + opt_ins
    return dict(sorted(found.items()))


def _local(hour: str, zone: ZoneInfo, earlier: timedelta = timedelta(0)) -> datetime:
    named = hour.replace("T", " ")
    return (datetime.strptime(named, "%Y-%m-%d %H").replace(tzinfo=UTC) - earlier).astimezone(zone)


def _held(db: Session, given: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """By topic: how many people hold one usable opt-in, two, three … Those who cannot be reached are left
    out."""
    found: dict[str, dict[str, int]] = {}
    for sign, statement in ((1, _counting_holders()), (-1, _counting_kept_out())):
        for topic_id, held, people in db.execute(statement, given):
            of_topic = found.setdefault(str(topic_id), {})
            many = str(min(held, MOST_HELD))
            of_topic[many] = of_topic.get(many, 0) + sign * people
    return found


@cache
def _counting_holders() -> Select[Any]:
    """One pass over the index (topic, state, customer, end)."""
    return _by_many(
        select(col(OptIn.topic_id), func.count().label("held"))
        .where(
            col(OptIn.topic_id).in_(_TOPICS),
            col(OptIn.customer_id).is_not(None),
            eligibility.is_usable(_NOW),
        )
        .group_by(col(OptIn.topic_id), col(OptIn.customer_id))
    )


@cache
def _counting_kept_out() -> Select[Any]:
    """The same of those who get nothing; it starts from these few customers."""
    return _by_many(
        select(col(OptIn.topic_id), func.count().label("held"))
        .join(Customer, col(Customer.id) == col(OptIn.customer_id))
        .where(
            col(Customer.fanpage_id) == _FANPAGE_ID,
            eligibility.is_kept_out_indefinitely(_NOW),
            col(OptIn.topic_id).op("+")(0).is_not(None),
            eligibility.is_usable(_NOW),
        )
        .group_by(col(OptIn.topic_id), col(OptIn.customer_id))
    )


def _by_many(of_each_person: Any) -> Select[Any]:
    each = of_each_person.subquery()
    return select(each.c.topic_id, each.c.held, func.count()).group_by(each.c.topic_id, each.c.held)


def _ends(db: Session, given: Mapping[str, Any], zone: ZoneInfo) -> dict[str, dict[str, int]]:
    """By topic: how many usable opt-ins end on each of the next days (2026-11-30) and in each later month
    (2027-03)."""
    last = given["now"].astimezone(zone).date() + timedelta(days=SINGLE_DAYS)
    found: dict[str, dict[str, int]] = {}
    for topic_id, named, opt_ins in db.execute(_counting_ends(), given):
        day = _local(named, zone).date()
        key = day.isoformat() if day <= last else day.isoformat()[:7]
        of_topic = found.setdefault(str(topic_id), {})
        of_topic[key] = of_topic.get(key, 0) + opt_ins
    return found


@cache
def _counting_ends() -> Select[Any]:
    hour = _hour(col(OptIn.expires_at))
    return (
        select(col(OptIn.topic_id), hour, func.count())
        .where(col(OptIn.topic_id).in_(_TOPICS), eligibility.is_usable(_NOW))
        .group_by(col(OptIn.topic_id), hour)
    )
