"""Makes a broadcast's audience: its deliveries, and the opt-ins held for them; both or neither.

The first of them in the transaction that starts the broadcast, so that it sends at once, however many there
are. The others follow part by part, by customer: whoever had opted in at the start, and nobody twice. Others
write in between. See docs/decisions/0026.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import Enum, auto

import structlog
from sqlalchemy import ColumnElement, Connection, Select, exists, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col

from core.accounts.rules import SYSTEM
from core.broadcasts.rows import get_row, record
from core.broadcasts.rules import BroadcastState
from core.consent import eligibility
from core.consent import ledger as opt_ins
from core.consent.rules import OptInState
from core.db.engine import (
    DATABASE_TROUBLE,
    engine,
    is_locked,
    is_sqlite,
    reading,
    transaction,
    wait_for_locks,
)
from core.db.holding import is_free
from core.db.tables import Broadcast, Delivery, Gathering, OptIn
from core.deliveries import ledger as deliveries

log = structlog.get_logger(__name__)

FIRST = 2_000  # opt-ins looked at by the start itself: a tenth of a second on PostgreSQL
PART = 10_000
PART_ALONE = 40_000  # on SQLite, as long as nobody else writes
REST_SECONDS = 0.025
QUIET = 5  # parts in which nobody else wrote: from then on we are alone, and rest after one in so many:
ONE_IN = 8
EVERYBODY = 2**63 - 1  # no customer has an id beyond
PATIENCE = "2s"  # for an opt-in that somebody holds; the audiences of others wait as long


def begin(db: Session, broadcast: Broadcast, now: datetime) -> bool:
    """The first of the audience, and more than the canary. Whether there are more; mostly that is all."""
    newest = db.execute(select(func.max(col(OptIn.id)))).scalar_one() or 0
    progress = Gathering(broadcast_id=broadcast.id or 0, last_customer_id=0, last_opt_in_id=newest)
    while more := _make_part(db, broadcast, progress, FIRST, now):
        if progress.made > broadcast.canary_size:
            break
    broadcast.audience = progress.made
    if more:
        db.add(progress)
    return more


class BuildOutcome(Enum):
    NOT_NOW = auto()  # another worker is at it, or it has to wait
    GOES_ON = auto()
    COMPLETE = auto()


def build_audiences(
    clock: Callable[[], datetime], *, rest: Callable[[float], object] = time.sleep
) -> list[int]:
    """Complete the audiences that are not yet, a part of each in turn; `rest` may return true to end early.
    Returns the broadcasts that were completed."""
    completed: list[int] = []
    if not _unfinished():
        return completed
    with engine().connect() as connection:
        others = OtherWriters(connection)
        while unfinished := _unfinished():
            outcomes = []
            for broadcast_id in unfinished:
                outcomes.append(_go_on(connection, broadcast_id, others.part, clock()))
                if outcomes[-1] == BuildOutcome.COMPLETE:
                    completed.append(broadcast_id)
                    look_over()
                if rest(others.need_seconds()):
                    return completed
            if set(outcomes) == {BuildOutcome.NOT_NOW}:
                break
    return completed


class OtherWriters:
    """How much to do at a time, and how long to rest, so that others come to write as well.

    SQLite has one writer at a time, and who waits for it is not in a line but looks again every 25 ms or so:
    between parts that follow at once it would hardly ever find it free.
    """

    def __init__(self, connection: Connection) -> None:
        self._file = connection.connection.driver_connection if connection.dialect.name == "sqlite" else None
        self._version = self._seen()
        self._quiet = 0  # parts in a row in which nobody else wrote

    @property
    def part(self) -> int:
        """Opt-ins to look at in the next part."""
        return PART_ALONE if self._quiet >= QUIET else PART

    def need_seconds(self) -> float:
        """To be asked after each part."""
        if self._file is None:
            return 0.0
        version = self._seen()
        self._quiet = self._quiet + 1 if version == self._version else 0
        self._version = version
        return REST_SECONDS if self._quiet < QUIET or self._quiet % ONE_IN == 0 else 0.0

    def _seen(self) -> int:
        """Another number when another connection has committed; what this one commits does not count."""
        return self._file.execute("PRAGMA data_version").fetchone()[0] if self._file else 0


def look_over() -> None:
    """PostgreSQL would notice by itself within a minute or two, and plan badly until then."""
    with suppress(*DATABASE_TROUBLE), transaction() as db:
        if not is_sqlite(db):
            db.execute(text("ANALYZE (SKIP_LOCKED) delivery"))


def is_complete() -> ColumnElement[bool]:
    """Whether all of a broadcast's audience have their deliveries."""
    return ~exists().where(col(Gathering.broadcast_id) == col(Broadcast.id))


def so_far() -> ColumnElement[int]:
    """A broadcast's audience, as far as it is made."""
    made = select(col(Gathering.made)).where(col(Gathering.broadcast_id) == col(Broadcast.id))
    return func.coalesce(made.scalar_subquery(), col(Broadcast.audience))


def _unfinished() -> list[int]:
    with reading() as db:
        return list(
            db.execute(select(col(Gathering.broadcast_id)).order_by(col(Gathering.broadcast_id))).scalars()
        )


def _go_on(connection: Connection, broadcast_id: int, size: int, now: datetime) -> BuildOutcome:
    try:
        more = _next_part(connection, broadcast_id, size, now)
        if more is None:
            return BuildOutcome.NOT_NOW
        if more:
            return BuildOutcome.GOES_ON
        return BuildOutcome.COMPLETE if _complete(broadcast_id, now) else BuildOutcome.NOT_NOW
    except (RuntimeError, IntegrityError, OperationalError) as problem:
        # Somebody else was quicker with one of the opt-ins, or is at it: the next tick tries again.
        if isinstance(problem, OperationalError) and not is_locked(problem):
            raise  # the others would fare no better
        log.warning("audience_part_failed", broadcast_id=broadcast_id, error=type(problem).__name__)
        return BuildOutcome.NOT_NOW


def _next_part(connection: Connection, broadcast_id: int, size: int, now: datetime) -> bool | None:
    """Whether there is more; None when it is not ours to do now."""
    mine = select(Broadcast).where(col(Broadcast.id) == broadcast_id, is_free())
    progress = select(Gathering).where(col(Gathering.broadcast_id) == broadcast_id)
    with transaction(connection) as db:
        wait_for_locks(db, PATIENCE)
        # Locked for sharing, as a claim does: it may send meanwhile, and who ends it waits for us.
        broadcast = db.execute(mine.with_for_update(read=True, skip_locked=True)).scalar_one_or_none()
        row = db.execute(progress.with_for_update(skip_locked=True)).scalar_one_or_none()
        return _make_part(db, broadcast, row, size, now) if broadcast and row else None


def _complete(broadcast_id: int, now: datetime) -> bool:
    with transaction() as db:
        wait_for_locks(db, PATIENCE)
        broadcast = get_row(db, broadcast_id, lock=True)
        progress = db.get(Gathering, broadcast_id, with_for_update=True)
        if progress is None:
            return False
        broadcast.audience = progress.made
        db.delete(progress)
        record(db, SYSTEM, "broadcast.gather", broadcast, now=now, audience=broadcast.audience)
        return True


def _make_part(db: Session, broadcast: Broadcast, progress: Gathering, size: int, now: datetime) -> bool:
    """Those of the next `size` opt-ins. Whether there are more."""
    left: tuple[ColumnElement[bool], ...] = (
        col(OptIn.customer_id) > progress.last_customer_id,
        col(OptIn.id) <= progress.last_opt_in_id,
    )
    last = db.execute(
        select(col(OptIn.customer_id))
        .where(col(OptIn.topic_id) == broadcast.topic_id, col(OptIn.state) == OptInState.AVAILABLE, *left)
        .order_by(col(OptIn.customer_id))
        .offset(size - 1)
        .limit(1)
    ).scalar_one_or_none()
    if last is not None:
        left = (*left, col(OptIn.customer_id) <= last)
    progress.made += _make(db, broadcast, eligibility.chosen_opt_ins(broadcast.topic_id, now, *left), now)
    progress.last_customer_id = EVERYBODY if last is None else last  # made again, a last part finds nobody
    return last is not None


def _make(db: Session, broadcast: Broadcast, chosen: Select[int, int], now: datetime) -> int:
    """How many deliveries. Those of a broadcast that was cancelled meanwhile end as they are made."""
    db.flush()
    ended = broadcast.state == BroadcastState.CANCELLED
    reason = (broadcast.pause_code or "cancelled") if ended else None
    new = deliveries.add(db, broadcast.id or 0, chosen, cancelled=reason, now=now)
    made = int(db.execute(select(func.count()).select_from(Delivery).where(*new)).scalar_one())
    held = made if ended else opt_ins.reserve(db, select(col(Delivery.opt_in_id)).where(*new))
    if held != made:
        raise RuntimeError(f"broadcast {broadcast.id}: {made} deliveries but {held} opt-ins held")
    return made
