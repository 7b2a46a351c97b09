"""The transitions of a broadcast: every change of its state, inside the caller's transaction.

Nothing else writes `broadcast.state` (tests/test_single_writers.py). The table has all transitions, whoever
asks for them; the WHERE of each statement decides, so that two clicks are one. What else a transition means,
and the locks, are for the caller.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, CursorResult, Update
from sqlmodel import Session, col

from core.broadcasts.rows import get_row
from core.broadcasts.rules import CANARY_FAILED, BroadcastState
from core.db import bulk
from core.db.tables import Broadcast
from core.errors import N_, WrongState


class Transition(StrEnum):
    # Staff:
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    REOPEN = "reopen"  # some of its deliveries are queued again
    # The clock:
    START = "start"
    MISS = "miss"
    FINISH = "finish"
    REOPEN_LEFTOVERS = "reopen_leftovers"  # it has finished although a delivery is still queued
    # What the platform says:
    TRIP = "trip"  # the breaker pauses it: the last deliveries were all refused for one reason
    FAIL_CANARY = "fail_canary"  # too many of its first part failed
    STOP = "stop"  # its fanpage was stopped
    REPAIR = "repair"  # its fanpage works again


_S = BroadcastState
TRANSITIONS: dict[Transition, tuple[frozenset[BroadcastState], BroadcastState]] = {
    Transition.SCHEDULE: (frozenset({_S.DRAFT, _S.SCHEDULED, _S.MISSED}), _S.SCHEDULED),
    Transition.UNSCHEDULE: (frozenset({_S.SCHEDULED, _S.MISSED}), _S.DRAFT),
    Transition.PAUSE: (frozenset({_S.SENDING}), _S.PAUSED),
    Transition.RESUME: (frozenset({_S.PAUSED}), _S.SENDING),
    Transition.CANCEL: (
        frozenset({_S.DRAFT, _S.SCHEDULED, _S.SENDING, _S.PAUSED, _S.MISSED}),
        _S.CANCELLED,
    ),
    Transition.REOPEN: (frozenset({_S.SENDING, _S.PAUSED, _S.FINISHED, _S.CANCELLED}), _S.SENDING),
    Transition.START: (frozenset({_S.SCHEDULED}), _S.SENDING),
    Transition.MISS: (frozenset({_S.SCHEDULED}), _S.MISSED),
    Transition.FINISH: (frozenset({_S.SENDING, _S.PAUSED}), _S.FINISHED),  # paused: past its best-before
    Transition.REOPEN_LEFTOVERS: (frozenset({_S.FINISHED}), _S.SENDING),
    Transition.TRIP: (frozenset({_S.SENDING}), _S.PAUSED),
    Transition.FAIL_CANARY: (frozenset({_S.SENDING}), _S.PAUSED),
    Transition.STOP: (frozenset({_S.SENDING}), _S.PAUSED),
    Transition.REPAIR: (frozenset({_S.PAUSED}), _S.SENDING),
}


# Whoever launched it is told: ended_broadcasts.py.
_NEWS: dict[str, None] = {"seen_at": None, "told_at": None}


class Moved(NamedTuple):
    id: int
    name: str
    fanpage_id: int


def move(db: Session, broadcast_id: int, transition: Transition, now: datetime) -> Broadcast:
    """Move one broadcast. Raises WrongState when its state does not allow it."""
    mine = col(Broadcast.id) == broadcast_id
    moved = db.execute(_moving(transition, mine).values(updated_at=now))
    broadcast = get_row(db, broadcast_id)
    if isinstance(moved, CursorResult) and moved.rowcount == 0:
        raise not_possible(broadcast)
    db.refresh(broadcast)
    return broadcast


def refuse_unless(transition: Transition, broadcast: Broadcast) -> None:
    """Raise WrongState when the state of a row, which the caller has locked, does not allow it."""
    sources, _target = TRANSITIONS[transition]
    if broadcast.state not in sources:
        raise not_possible(broadcast)


def reopen(broadcast: Broadcast) -> None:
    """Staff have queued some of its deliveries again. The caller has locked the row."""
    _move_locked(broadcast, Transition.REOPEN)
    broadcast.pause_code, broadcast.finished_at = None, None


def fail_canary(broadcast: Broadcast) -> None:
    """Pause it until staff have looked at its first part. The caller has locked the row."""
    _move_locked(broadcast, Transition.FAIL_CANARY)
    broadcast.pause_code = CANARY_FAILED


def miss_late(db: Session, *, now: datetime) -> list[Moved]:
    """Mark scheduled broadcasts whose best-before has passed as missed: a person decides about them."""
    late = col(Broadcast.best_before).is_not(None), col(Broadcast.best_before) <= now
    return _moved(db, _moving(Transition.MISS, *late).values(updated_at=now, **_NEWS))


def finish(db: Session, *over: ColumnElement[bool], now: datetime) -> list[Moved]:
    """Finish the broadcasts that meet these conditions, which the statement itself checks once more."""
    moving = _moving(Transition.FINISH, *over)
    return _moved(db, moving.values(finished_at=now, updated_at=now, **_NEWS))


def reopen_with_leftovers(db: Session, broadcast_id: int) -> None:
    """Reopen a finished broadcast that has queued deliveries left; it finishes again after those.
    `updated_at` stays as it is."""
    db.execute(
        _moving(Transition.REOPEN_LEFTOVERS, col(Broadcast.id) == broadcast_id).values(finished_at=None)
    )


def trip(db: Session, fanpage_id: int, ids: Collection[int], code: str, *, now: datetime) -> list[Moved]:
    """Pause those of these broadcasts of a fanpage that are being sent, with the pause code of the
    breaker."""
    which = col(Broadcast.id).in_(list(ids)), col(Broadcast.fanpage_id) == fanpage_id
    return _moved(db, _moving(Transition.TRIP, *which).values(pause_code=code, updated_at=now))


def stop_all_of(db: Session, fanpage_id: int, code: str, *, now: datetime) -> None:
    """Pause every broadcast that is being sent for a fanpage that Messenger has stopped."""
    theirs = col(Broadcast.fanpage_id) == fanpage_id
    db.execute(_moving(Transition.STOP, theirs).values(pause_code=code, updated_at=now))


def repair(db: Session, ids: Collection[int], *, now: datetime) -> None:
    """Send on the broadcasts that a stop of their fanpage had paused."""
    which = col(Broadcast.id).in_(list(ids))
    db.execute(_moving(Transition.REPAIR, which).values(pause_code=None, updated_at=now))


def _moving(transition: Transition, *which: ColumnElement[bool]) -> Update:
    sources, target = TRANSITIONS[transition]
    may_move = bulk.one_of(col(Broadcast.state), sorted(sources))
    return bulk.change(Broadcast, *which, may_move).values(state=target)


def _moved(db: Session, moving: Update) -> list[Moved]:
    told = moving.returning(col(Broadcast.id), col(Broadcast.name), col(Broadcast.fanpage_id))
    return [Moved(id_ or 0, name, fanpage_id) for id_, name, fanpage_id in db.execute(told).all()]


def _move_locked(broadcast: Broadcast, transition: Transition) -> None:
    refuse_unless(transition, broadcast)
    broadcast.state = TRANSITIONS[transition][1]


def not_possible(broadcast: Broadcast) -> WrongState:
    """The refusal of what the state of a broadcast does not allow."""
    return WrongState(
        N_("The broadcast's state is “{state}”, so this is not possible."), state=broadcast.state
    )
