"""Builds the audience of a broadcast: a delivery for each eligible customer, and the opt-in reserved for it.

The transaction that starts a broadcast builds a first chunk, so that sending begins at once however large the
audience is. The rest follows in chunks, in the order of the customers' ids: everybody who had opted in at the
start, and nobody twice. Between the chunks others can write. See docs/decisions/0026.
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
from core.consent import ledger as opt_in_ledger
from core.consent.audience_filters import filters_of
from core.consent.rules import OptInState
from core.db.advisory_locks import AUDIENCES_LOCK, take_lock
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
from core.db.tables import AudienceProgress, Broadcast, Delivery, OptIn
from core.deliveries import ledger as delivery_ledger

log = structlog.get_logger(__name__)

FIRST_CHUNK = 2_000  # opt-ins that the start itself looks at: a tenth of a second on PostgreSQL
CHUNK = 10_000
CHUNK_ALONE = 40_000  # on SQLite, as long as nobody else writes
REST_SECONDS = 0.025
QUIET = 5  # after so many chunks in which nobody else wrote, chunks are larger and a rest follows one in:
ONE_IN = 8
PAST_EVERYBODY = 2**63 - 1  # no customer has an id beyond
PATIENCE = "2s"  # how long to wait for a locked row; the audiences of other broadcasts wait as long


def begin(db: Session, broadcast: Broadcast, now: datetime) -> bool:
    """Build the first chunk of the audience, larger than the canary. Returns whether there is more to
    build."""
    take_turn(db, broadcast.fanpage_id)
    newest = db.execute(select(func.max(col(OptIn.id)))).scalar_one() or 0
    progress = AudienceProgress(broadcast_id=broadcast.id or 0, last_customer_id=0, last_opt_in_id=newest)
    while more := _build_chunk(db, broadcast, progress, FIRST_CHUNK, now):
        if progress.made > broadcast.canary_size:
            break
    broadcast.audience = progress.made
    if more:
        db.add(progress)
    return more


def take_turn(db: Session, fanpage_id: int) -> None:
    """Wait until nobody else adds to audiences of this fanpage, and keep others waiting until this
    transaction ends: two broadcasts that start together would each count a customer without the other."""
    take_lock(db, AUDIENCES_LOCK, fanpage_id)


class BuildOutcome(Enum):
    NOT_NOW = auto()  # another worker builds it, or it has to wait
    GOES_ON = auto()
    COMPLETE = auto()


def build_audiences(
    clock: Callable[[], datetime], *, rest: Callable[[float], object] = time.sleep
) -> list[int]:
    """Complete the unfinished audiences, a chunk of each in turn. Returns the broadcasts whose audience is
    complete now. `rest` waits so many seconds between the chunks; when it returns true, building ends
    early."""
    completed: list[int] = []
    if not _unfinished():
        return completed
    with engine().connect() as connection:
        others = OtherWriters(connection)
        while unfinished := _unfinished():
            outcomes = []
            for broadcast_id in unfinished:
                outcomes.append(_go_on(connection, broadcast_id, others.chunk_size, clock()))
                if outcomes[-1] == BuildOutcome.COMPLETE:
                    completed.append(broadcast_id)
                    refresh_statistics()
                if rest(others.need_seconds()):
                    return completed
            if set(outcomes) == {BuildOutcome.NOT_NOW}:
                break
    return completed


class OtherWriters:
    """Decides how large a chunk is and how long to rest after it, so that other writers get their turn.

    SQLite has one writer at a time. Who waits for it stands in no line but looks again every 25 ms or so, and
    would hardly ever find it free between chunks that follow at once.
    """

    def __init__(self, connection: Connection) -> None:
        self._file = connection.connection.driver_connection if connection.dialect.name == "sqlite" else None
        self._version = self._seen()
        self._quiet = 0  # chunks in a row in which nobody else wrote

    @property
    def chunk_size(self) -> int:
        """Opt-ins to look at in the next chunk."""
        return CHUNK_ALONE if self._quiet >= QUIET else CHUNK

    def need_seconds(self) -> float:
        """How long to rest now; called after each chunk."""
        if self._file is None:
            return 0.0
        version = self._seen()
        self._quiet = self._quiet + 1 if version == self._version else 0
        self._version = version
        return REST_SECONDS if self._quiet < QUIET or self._quiet % ONE_IN == 0 else 0.0

    def _seen(self) -> int:
        """A number that changes whenever another connection has committed; this one's own commits leave
        it."""
        return self._file.execute("PRAGMA data_version").fetchone()[0] if self._file else 0


def refresh_statistics() -> None:
    """Refresh PostgreSQL's statistics of the deliveries: by itself it would plan badly for a minute or
    two."""
    with suppress(*DATABASE_TROUBLE), transaction() as db:
        if not is_sqlite(db):
            db.execute(text("ANALYZE (SKIP_LOCKED) delivery"))


def is_complete() -> ColumnElement[bool]:
    """Whether everybody in the audience of a broadcast has a delivery."""
    return ~exists().where(col(AudienceProgress.broadcast_id) == col(Broadcast.id))


def so_far() -> ColumnElement[int]:
    """The size of a broadcast's audience, as far as it is built."""
    made = select(col(AudienceProgress.made)).where(col(AudienceProgress.broadcast_id) == col(Broadcast.id))
    return func.coalesce(made.scalar_subquery(), col(Broadcast.audience))


def _unfinished() -> list[int]:
    with reading() as db:
        return list(
            db.execute(
                select(col(AudienceProgress.broadcast_id)).order_by(col(AudienceProgress.broadcast_id))
            ).scalars()
        )


def _go_on(connection: Connection, broadcast_id: int, size: int, now: datetime) -> BuildOutcome:
    try:
        outcome = _build_next_chunk(connection, broadcast_id, size, now)
        if outcome == BuildOutcome.COMPLETE and not _complete(broadcast_id, now):
            return BuildOutcome.NOT_NOW
        return outcome
    except (RuntimeError, IntegrityError, OperationalError) as problem:
        # Another transaction has taken or locked one of the opt-ins: the next tick builds this chunk again.
        if isinstance(problem, OperationalError) and not is_locked(problem):
            raise  # the database is in trouble for the other broadcasts as well
        log.warning("audience_chunk_failed", broadcast_id=broadcast_id, error=type(problem).__name__)
        return BuildOutcome.NOT_NOW


def _build_next_chunk(connection: Connection, broadcast_id: int, size: int, now: datetime) -> BuildOutcome:
    """Build the next chunk. The outcome is COMPLETE if it was the last."""
    mine = select(Broadcast).where(col(Broadcast.id) == broadcast_id, is_free())
    progress = select(AudienceProgress).where(col(AudienceProgress.broadcast_id) == broadcast_id)
    with transaction(connection) as db:
        wait_for_locks(db, PATIENCE)
        # A shared lock, as a claim takes: sending goes on meanwhile, and ending the broadcast waits for this.
        broadcast = db.execute(mine.with_for_update(read=True, skip_locked=True)).scalar_one_or_none()
        row = db.execute(progress.with_for_update(skip_locked=True)).scalar_one_or_none()
        if broadcast is None or row is None:
            return BuildOutcome.NOT_NOW
        take_turn(db, broadcast.fanpage_id)
        more = _build_chunk(db, broadcast, row, size, now)
        return BuildOutcome.GOES_ON if more else BuildOutcome.COMPLETE


def _complete(broadcast_id: int, now: datetime) -> bool:
    with transaction() as db:
        wait_for_locks(db, PATIENCE)
        broadcast = get_row(db, broadcast_id, lock=True)
        progress = db.get(AudienceProgress, broadcast_id, with_for_update=True)
        if progress is None:
            return False
        broadcast.audience = progress.made
        db.delete(progress)
        record(db, SYSTEM, "broadcast.gather", broadcast, now=now, audience=broadcast.audience)
        return True


def _build_chunk(
    db: Session, broadcast: Broadcast, progress: AudienceProgress, size: int, now: datetime
) -> bool:
    """Add those who are eligible among the next `size` opt-ins. Returns whether there are more."""
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
    progress.made += _add_deliveries(
        db,
        broadcast,
        eligibility.chosen_opt_ins(broadcast.topic_id, now, *left, filters=filters_of(broadcast.filters)),
        now,
    )
    # A last chunk that is built again finds nobody.
    progress.last_customer_id = PAST_EVERYBODY if last is None else last
    return last is not None


def _add_deliveries(db: Session, broadcast: Broadcast, chosen: Select[int, int], now: datetime) -> int:
    """Add the deliveries and reserve their opt-ins. Returns how many. For a broadcast that was cancelled
    meanwhile the deliveries are added as cancelled, and nothing is reserved."""
    db.flush()
    ended = broadcast.state == BroadcastState.CANCELLED
    reason = (broadcast.pause_code or "cancelled") if ended else None
    new = delivery_ledger.add(db, broadcast.id or 0, chosen, cancelled=reason, now=now)
    made = int(db.execute(select(func.count()).select_from(Delivery).where(*new)).scalar_one())
    reserved = made if ended else opt_in_ledger.reserve(db, select(col(Delivery.opt_in_id)).where(*new))
    if reserved != made:
        raise RuntimeError(f"broadcast {broadcast.id}: {made} deliveries but {reserved} opt-ins reserved")
    return made
