"""The work snapshot: what there is to send now, read so often that a pause takes effect within a second."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any

import structlog
from sqlalchemy import BigInteger, ColumnElement, Select, Text, bindparam, cast, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.broadcasts.quiet_hours import must_wait
from core.broadcasts.rules import BroadcastState
from core.conversation.rules import ReplyState
from core.db import bulk
from core.db.engine import reading
from core.db.holding import is_free
from core.db.tables import Broadcast, Fanpage, FanpageRate, Reply, UtcTime
from core.db.work_queue import SHARDS
from core.sending.claims import is_due
from core.sending.limits.rate_limiter import Rate, rate_now
from core.sending.rules import FARTHEST_ATTEMPT

log = structlog.get_logger(__name__)

FRESH_SECONDS = 0.45
ALMOST = timedelta(seconds=0.5)  # nothing is claimed so shortly before its best-before
_SHARD = {"shard": BigInteger()}


@dataclass(frozen=True, slots=True)
class SendingBroadcast:
    """A broadcast that may send now."""

    content: str  # as JSON
    best_before: datetime | None


@dataclass(frozen=True, slots=True)
class FanpageWork:
    """What one fanpage may send now."""

    rate: Rate
    slot_in_row: float  # of its rate row, seconds since 1970
    broadcasts: dict[int, SendingBroadcast] = field(default_factory=dict)  # by id
    has_replies: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What all fanpages of some shards may send. One that is stopped, or has nothing to send, is not in
    `fanpages`."""

    fanpages: Mapping[int, FanpageWork]
    stopped: Collection[int]  # fanpages that may send nothing
    at: float  # monotonic time from before the read

    def may_send(self, fanpage_id: int, *, at: float) -> bool:
        """Whether a fanpage may send at this moment (seconds since 1970): not stopped, and not told to
        wait."""
        work = self.fanpages.get(fanpage_id)
        return fanpage_id not in self.stopped and (work is None or work.rate.waits_until <= at)


NOTHING = Snapshot({}, (), float("-inf"))


class WorkSnapshots:
    """Keeps the latest snapshot for several threads, and reads another when it has become too old."""

    def __init__(self, clock: Callable[[], datetime], shards: Callable[[], Collection[int]]) -> None:
        self._clock = clock
        self._shards = shards
        self._contents: dict[int, str] = {}  # of broadcasts: their contents are frozen while they send
        self._reading = Lock()
        self._unreadable: set[int] = set()  # fanpages of which the log has said so
        self.latest = NOTHING

    def fresh(self, max_age: float | None = None, *, after: float = float("-inf")) -> Snapshot:
        """A snapshot that is not older than `max_age` seconds (else FRESH_SECONDS) and was read after a
        monotonic time. Raises what the database raises; the latest one then stays."""
        age = FRESH_SECONDS if max_age is None else max_age
        if self._is_old(age, after):  # else nobody waits while another is being read
            with self._reading:
                if self._is_old(age, after):
                    self.latest = self._read()
        return self.latest

    def _is_old(self, max_age: float, after: float) -> bool:
        return self.latest.at <= after or time.monotonic() - self.latest.at >= max_age

    def _read(self) -> Snapshot:
        began, now, shards = time.monotonic(), self._clock(), sorted(self._shards())
        if not shards:
            return Snapshot({}, (), began)
        with reading() as db:
            sending, answering = _rows(db, shards, now)
            stopped = {row[0] for row in _stopped().fetch(db, {})}
            self._learn_contents(db, {row[0] for row in sending})
        return Snapshot(self._by_fanpage(sending, answering, now.timestamp()), stopped, began)

    def _learn_contents(self, db: Session, broadcast_ids: set[int]) -> None:
        """Read the contents of broadcasts that begin to send; they are long, and frozen while they send."""
        known = {key: self._contents[key] for key in broadcast_ids & self._contents.keys()}
        if unknown := broadcast_ids - known.keys():
            wanted = select(col(Broadcast.id), cast(col(Broadcast.content), Text)).where(
                col(Broadcast.id).in_(bulk.among(unknown))
            )
            for broadcast_id, content in db.execute(wanted):
                with suppress(ValueError):  # what is no JSON stays unknown, which keeps this broadcast back
                    json.loads(content)
                    known[broadcast_id or 0] = content
        self._contents = known

    def _by_fanpage(self, sending: list[Any], answering: list[Any], at: float) -> dict[int, FanpageWork]:
        """By fanpage what it may send. What cannot be read waits until somebody has put it right; the log
        says so once."""
        found: dict[int, FanpageWork] = {}
        for row in sending:
            try:
                self._add_broadcast(found, row, at)
            except Exception as problem:
                self._say_once(row[2], problem)
        for row in answering:
            try:
                work = found.get(row[0]) or _work(*row[1:], at=at)
                found[row[0]] = replace(work, has_replies=True)
            except Exception as problem:
                self._say_once(row[0], problem)
        return found

    def _add_broadcast(self, found: dict[int, FanpageWork], row: Sequence[Any], at: float) -> None:
        broadcast_id, best_before, fanpage_id, *rate_row = row
        until = bulk.moment(best_before) if best_before else None
        broadcast = SendingBroadcast(self._contents[broadcast_id], until)
        work = found.get(fanpage_id) or _work(*rate_row, at=at)
        work.broadcasts[broadcast_id] = broadcast
        found[fanpage_id] = work

    def _say_once(self, fanpage_id: int, problem: Exception) -> None:
        if fanpage_id not in self._unreadable:
            self._unreadable.add(fanpage_id)
            log.error("fanpage_unreadable", fanpage_id=fanpage_id, error=type(problem).__name__)


def _work(slot_in_row: float, *rate_row: Any, at: float) -> FanpageWork:
    """What a fanpage may send, still without any; ValueError where its rate is none."""
    rate = rate_now(*rate_row, at=at)
    if not rate.per_second > 0:
        raise ValueError(rate)
    return FanpageWork(rate, slot_in_row)


def _quiet_fanpages(db: Session, now: datetime) -> set[int]:
    """Fanpages whose broadcasts wait for the end of quiet hours or of a day off; answers leave."""
    wanted = select(col(Fanpage.id), col(Fanpage.launch_rules), col(Fanpage.timezone)).where(
        col(Fanpage.launch_rules).is_not(None)
    )
    rows = db.execute(wanted).all()
    return {key or 0 for key, rules, zone in rows if must_wait(key or 0, rules, zone, now)}


def fanpages_with_work(*, now: datetime) -> list[int]:
    """The ids of all fanpages, of any shard, that may send and have something that may be sent now."""
    at = now.timestamp()
    with reading() as db:
        sending, answering = _rows(db, range(SHARDS), now)
    rates = {key: rate_now(*row, at=at) for key, _slot, *row in [*answering, *(row[2:] for row in sending)]}
    return sorted(key for key, rate in rates.items() if rate.per_second > 0 and rate.waits_until <= at)


def _rows(db: Session, shards: Collection[int], now: datetime) -> tuple[list[Any], list[Any]]:
    """The rows of `_sending`, without fanpages in their quiet hours, and those of `_answering`."""
    times = {"now": now, "soon": now + ALMOST, "far": now + FARTHEST_ATTEMPT}
    given = {**bulk.bound_ids(shards), **{name: bulk.stamp(at) for name, at in times.items()}}
    quiet = _quiet_fanpages(db, now)
    sending = [row for row in _sending().fetch(db, given) if row[2] not in quiet]
    return sending, _answering().fetch(db, given)


_RATE_ROW = (
    col(Fanpage.id),
    col(FanpageRate.next_free),
    col(Fanpage.rate),
    col(FanpageRate.held_until),
    col(FanpageRate.held_at),
    col(FanpageRate.factor),
    col(FanpageRate.factor_at),
)


@cache
def _sending() -> bulk.CompiledQuery:
    """The broadcasts of our shards that may send, each with its fanpage's rate row."""
    statement: Select[Any] = (
        _may_send(select(col(Broadcast.id), col(Broadcast.best_before), *_RATE_ROW))
        .join(Broadcast, col(Broadcast.fanpage_id) == col(Fanpage.id))
        .where(col(Broadcast.state) == bulk.constant(BroadcastState.SENDING), _in_time(), _is_ours())
        .where(col(Fanpage.otn_off_at).is_(None))
        .order_by(col(Broadcast.id))
    )
    return bulk.CompiledQuery(statement)


@cache
def _answering() -> bulk.CompiledQuery:
    """The fanpages of our shards that have a reply to send, with their rate rows."""
    theirs = col(Fanpage.id).in_(_fanpages_of_next_replies())
    statement = _may_send(select(*_RATE_ROW)).where(theirs, _is_ours())
    return bulk.CompiledQuery(statement)


@cache
def _stopped() -> bulk.CompiledQuery:
    """The fanpages that may send nothing: those that are stopped, and all while the installation is held."""
    stopped = select(col(Fanpage.id)).where(or_(col(Fanpage.stopped_code).is_not(None), ~is_free()))
    return bulk.CompiledQuery(stopped)


def _may_send(chosen: Any) -> Any:
    """Of fanpages that are not stopped, while the installation is not held; with their rate rows."""
    rows = chosen.select_from(Fanpage).join(FanpageRate, col(FanpageRate.fanpage_id) == col(Fanpage.id))
    return rows.where(col(Fanpage.stopped_code).is_(None), is_free())


def _is_ours() -> ColumnElement[bool]:
    return (col(Fanpage.id) % SHARDS).in_(bulk.rows_given(_SHARD))


def _in_time() -> ColumnElement[bool]:
    soon = bindparam("soon", type_=UtcTime)
    return or_(col(Broadcast.best_before).is_(None), col(Broadcast.best_before) > soon)


def _fanpages_of_next_replies() -> Select[Any]:
    """The fanpages with a reply that may be claimed: one without an earlier unsent one to the same person."""
    earlier = aliased(Reply)
    blocked = exists().where(
        col(earlier.customer_id) == col(Reply.customer_id),
        col(earlier.id) < col(Reply.id),
        bulk.one_of(col(earlier.state), [ReplyState.QUEUED, ReplyState.SENDING]),
    )
    now, far = bindparam("now", type_=UtcTime), bindparam("far", type_=UtcTime)
    is_waiting = (
        col(Reply.state) == bulk.constant(ReplyState.QUEUED),
        is_due(col(Reply.next_try_at), now, far),
    )
    return select(col(Reply.fanpage_id)).where(*is_waiting, ~blocked)
