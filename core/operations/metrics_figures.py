"""The figures of the installation for /metrics: a few reads that stay cheap with a million deliveries."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.backups.queries import find_last_backup
from core.broadcasts.rules import BroadcastState
from core.conversation.rules import ReplyState
from core.db import bulk
from core.db.engine import reading
from core.db.tables import Alert, Broadcast, Delivery, Event, Heartbeat, Reply
from core.deliveries.rules import DeliveryState
from core.fanpages.queries import list_fanpages
from core.fanpages.set_up_queries import read_conditions
from core.inbox.rules import EventState
from core.installation.heartbeat import WEBHOOK, WORKER, is_of_kind

KEPT_SECONDS = 10.0  # the same figures are given for so long
SHARE = 50  # counting all deliveries takes at most a fiftieth of the time


@dataclass(frozen=True)
class Figures:
    """How the installation stands. Ages are in seconds; one that is missing has no age."""

    deliveries: Mapping[str, int] = field(default_factory=dict)  # DeliveryState: deliveries
    broadcasts: Mapping[str, int] = field(default_factory=dict)  # BroadcastState: broadcasts
    fanpages: Mapping[str, int] = field(default_factory=dict)  # set_up_queries.Conditions.of: fanpages
    queue_ages: Mapping[str, float] = field(default_factory=dict)  # queue: age of its oldest
    heartbeat_ages: Mapping[str, float] = field(default_factory=dict)  # kind of process: of the latest
    backup_age: float | None = None
    failed_events: int = 0
    untold_alerts: int = 0


class FiguresReader:
    """Reads the figures, not more often than they change much."""

    def __init__(self) -> None:
        self._read: tuple[float, Figures] | None = None  # monotonic
        self._deliveries: tuple[float, Mapping[str, int]] | None = None  # good until, monotonic

    def read(self, *, now: datetime) -> Figures:
        """The figures of the last ten seconds. Raises the errors of the database."""
        if self._read is not None and time.monotonic() - self._read[0] < KEPT_SECONDS:
            return self._read[1]
        found = _figures(now, self._count_deliveries())
        self._read = time.monotonic(), found
        return found

    def _count_deliveries(self) -> Mapping[str, int]:
        began = time.monotonic()
        if self._deliveries is not None and began < self._deliveries[0]:
            return self._deliveries[1]
        with reading() as db:
            counted = _count_by(db, select(col(Delivery.state), func.count()).group_by(col(Delivery.state)))
        ended = time.monotonic()
        found = {state.value: counted.get(state.value, 0) for state in DeliveryState}
        self._deliveries = ended + SHARE * (ended - began), found
        return found


def _figures(now: datetime, deliveries: Mapping[str, int]) -> Figures:
    conditions = read_conditions(now=now)
    backup = find_last_backup()
    with reading() as db:
        by_state = select(col(Broadcast.state), func.count()).group_by(col(Broadcast.state))
        failed = select(func.count()).where(col(Event.state) == bulk.constant(EventState.FAILED))
        untold = select(func.count()).where(col(Alert.told_at).is_(None), col(Alert.attempts) > 0)
        return Figures(
            deliveries=deliveries,
            broadcasts=_count_by(db, by_state),
            fanpages=Counter(conditions.of(each) for each in list_fanpages()),
            queue_ages=_ages(db, now, _QUEUES),
            heartbeat_ages=_ages(db, now, _HEARTBEATS),
            backup_age=(now - backup.made_at).total_seconds() if backup else None,
            failed_events=db.scalar(failed) or 0,
            untold_alerts=db.scalar(untold) or 0,
        )


# The condition of the index ix_reply_waiting: SQLite uses it only where this stands as it is.
_IS_WAITING = col(Reply.state).in_(bulk.constant(each) for each in (ReplyState.QUEUED, ReplyState.SENDING))
_Times = Mapping[str, Select[datetime | None]]
# Since when the oldest waits.
_QUEUES: _Times = {
    "events": select(func.min(Event.received_at)).where(
        col(Event.state) == bulk.constant(EventState.PENDING)
    ),
    "replies": select(func.min(Reply.created_at)).where(
        col(Reply.state) == bulk.constant(ReplyState.QUEUED), _IS_WAITING
    ),
    "broadcasts_due": select(func.min(Broadcast.due_at)).where(
        col(Broadcast.state) == BroadcastState.SCHEDULED
    ),
    "broadcasts_sending": select(func.min(Broadcast.started_at)).where(
        col(Broadcast.state) == BroadcastState.SENDING
    ),
}
_HEARTBEATS: _Times = {
    kind: select(func.max(Heartbeat.at)).where(is_of_kind(kind)) for kind in (WORKER, WEBHOOK)
}


def _ages(db: Session, now: datetime, times: _Times) -> dict[str, float]:
    """What lies in the future has the age 0."""
    found = {name: db.scalar(statement) for name, statement in times.items()}
    return {name: max(0.0, (now - at).total_seconds()) for name, at in found.items() if at is not None}


def _count_by(db: Session, statement: Select[str, int]) -> dict[str, int]:
    return {str(name): count for name, count in db.execute(statement)}
