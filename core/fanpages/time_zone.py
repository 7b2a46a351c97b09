"""Changes the time zone of a fanpage, and with it the starts of planned broadcasts.

A start is stored in UTC, but staff plan in local time. So whoever changes the zone has to say whether planned
broadcasts keep their moment or move to the same local time in the new zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import versions
from core.broadcasts.rules import BroadcastState
from core.clock import same_local_time
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Fanpage
from core.errors import N_, Invalid, WrongState, problem
from core.fanpages.queries import FanpageView, fanpage_view
from core.fanpages.rows import lock_fanpage, record
from core.fanpages.rules import is_zone

_PLANNED = (BroadcastState.SCHEDULED, BroadcastState.DRAFT)


class ZoneChangeKeeps(StrEnum):
    """What planned broadcasts keep when the time zone changes."""

    MOMENT = "moment"
    LOCAL_TIME = "local-time"


@dataclass(frozen=True)
class PlannedBroadcast:
    """A broadcast with a start, and the moments that show the same local time in the other zone."""

    id: int
    name: str
    state: str
    due_at: datetime
    best_before: datetime | None
    moved_due_at: datetime
    moved_best_before: datetime | None


def list_planned(fanpage_id: int, zone: str) -> list[PlannedBroadcast]:
    """The broadcasts that a change to this zone concerns: scheduled ones and drafts with a
    start, by their start."""
    with reading() as db:
        old = db.get_one(Fanpage, fanpage_id).timezone
        found = [_planned(row, old, zone) for row in db.scalars(_rows(fanpage_id))]
    return sorted(found, key=lambda planned: planned.due_at)


def change_zone(
    by: Actor, fanpage_id: int, zone: str, *, keep: ZoneChangeKeeps | None, now: datetime
) -> FanpageView:
    """Change the time zone. `keep` says what planned broadcasts keep; None is refused when there are any."""
    if not is_zone(zone):
        words = N_("There is no time zone called {zone}; try Asia/Ho_Chi_Minh.")
        raise Invalid([problem("zone", words, zone=zone)])
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        row = lock_fanpage(db, fanpage_id)
        if row.timezone == zone:
            return fanpage_view(row)
        # Locked, so that nobody changes a draft meanwhile and the worker starts nothing.
        planned = list(db.scalars(_rows(fanpage_id).with_for_update(key_share=True)))
        if planned and keep is None:
            raise WrongState(ASK, names=_names(planned))
        if keep == ZoneChangeKeeps.LOCAL_TIME:
            _move(by, planned, row.timezone, zone, now)
        about: dict[str, Any] = {"kept": keep.value, "planned": len(planned)} if keep and planned else {}
        _set(db, by, row, zone, now, **about)
        return fanpage_view(row)


def refuse_while_planned(db: Session, row: Fanpage, zone: str) -> None:
    """Raise WrongState when broadcasts are planned, for an action that changes the zone among
    other things."""
    planned = list(db.scalars(_rows(row.id or 0))) if row.timezone != zone else []
    if planned:
        raise WrongState(CHANGE_ALONE, names=_names(planned))


ASK = N_(
    "Broadcasts are scheduled: {names}. Choose what they keep in the new time zone: the moment, or "
    "the local time (command line: --keep moment or --keep local-time)."
)
CHANGE_ALONE = N_(
    "Broadcasts are scheduled: {names}. Change the time zone separately under Set-up (command "
    "line: fanpage zone), where you choose whether they keep the moment or the local time."
)


def _rows(fanpage_id: int) -> Select[Broadcast]:
    mine = col(Broadcast.fanpage_id) == fanpage_id, col(Broadcast.due_at).is_not(None)
    return select(Broadcast).where(*mine, col(Broadcast.state).in_(_PLANNED)).order_by(col(Broadcast.id))


def _planned(row: Broadcast, old: str, new: str) -> PlannedBroadcast:
    if row.due_at is None:
        raise ValueError("a broadcast without a start is not planned")
    moved = same_local_time(row.best_before, old, new) if row.best_before else None
    return PlannedBroadcast(
        id=row.id or 0,
        name=row.name,
        state=row.state,
        due_at=row.due_at,
        best_before=row.best_before,
        moved_due_at=same_local_time(row.due_at, old, new),
        moved_best_before=moved,
    )


def _move(by: Actor, rows: Sequence[Broadcast], old: str, new: str, now: datetime) -> None:
    for row in rows:
        planned = _planned(row, old, new)
        if planned.moved_due_at <= now and row.state == BroadcastState.SCHEDULED:
            words = N_(
                "In {zone} time, “{name}” would already have started. Let it keep the moment, or "
                "take it off the schedule first."
            )
            raise WrongState(words, name=row.name, zone=new)
        moved = {"due_at": planned.moved_due_at, "best_before": planned.moved_best_before}
        versions.alter(row, by, now, **moved)
        if row.state == BroadcastState.SCHEDULED:
            versions.approve(row, by, now)


def _set(db: Session, by: Actor, row: Fanpage, zone: str, now: datetime, **detail: Any) -> None:
    record(db, by, "fanpage.set_zone", row, now, zone=zone, was=row.timezone, **detail)
    row.timezone, row.updated_at = zone, now


def _names(rows: Sequence[Broadcast]) -> str:
    return ", ".join(f"“{row.name}”" for row in rows)
