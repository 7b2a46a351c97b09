"""Holds an installation, so that it sends nothing: when staff stop all sending, a restored copy until an
admin releases it, and both databases during a move.

The hold is a row that everything which sends or starts broadcasts reads. A database that was moved away from
also takes in nothing: triggers of SQLite refuse every change, so that no process, however old, gets past it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, exists, select
from sqlmodel import Session, col

from core.db.engine import glancing
from core.db.tables import Hold, Table
from core.errors import N_, Held, WrongState


class HoldCode(StrEnum):
    """Why an installation is held."""

    STOPPED = "stopped"  # staff stopped every send; whoever may send lets it go on
    RESTORED = "restored"  # restored from a backup: what it would send may have been sent already
    LEAVING = "leaving"  # being moved away from
    MOVED = "moved"  # moved away from; the new database goes on
    ARRIVING = "arriving"  # being moved to, or left behind by a move that failed


SENTENCES: dict[str, str] = {
    HoldCode.STOPPED: N_(
        "All sending was stopped by {place}: nothing is sent for any fanpage. Customers' messages "
        "are still received, and no opt-in is lost. To resume: python -m core release"
    ),
    HoldCode.RESTORED: N_(
        "This installation was restored from a backup and sends nothing until an admin allows it: "
        "python -m core release"
    ),
    HoldCode.LEAVING: N_(
        "This installation is being moved to {place}; nothing is sent in the meantime. If the move "
        "was interrupted, repeat it, or let this installation continue: python -m core release"
    ),
    HoldCode.MOVED: N_(
        "This installation has been moved to {place}: nothing is sent or received here any more. "
        "Set OTN_DATABASE_URL to the new database and restart."
    ),
    HoldCode.ARRIVING: N_(
        "The move from {place} to this database is not complete; nothing is sent. If it was "
        "interrupted, repeat it from there: python -m core move"
    ),
}
# These tables of a closed database can still be written: for heartbeats, and for staff who sign in to read.
_STAYS_OPEN = {"heartbeat", "hold", "sign_in_attempt", "operator_session", "activity"}
_SESSIONS = {"last_seen_at", "sessions_valid_after"}  # columns of an operator


@dataclass(frozen=True)
class HoldView:
    """Why the installation is held."""

    code: HoldCode
    place: str  # the database at the other end of a move, or who stopped all sending
    key: str
    at: datetime

    @property
    def template(self) -> str:
        return SENTENCES[self.code]

    @property
    def message(self) -> str:
        return self.template.format(place=self.place)

    @property
    def takes_in_nothing(self) -> bool:
        return self.code == HoldCode.MOVED


def is_free() -> ColumnElement[bool]:
    """The condition that nothing is held, for statements that find work to send or to start."""
    return ~exists(select(col(Hold.id)))


def current_hold() -> HoldView | None:
    """The hold of this installation, or None."""
    with glancing() as db:
        return read_hold(db)


def read_hold(db: Session) -> HoldView | None:
    """The hold of the database of a session, or None."""
    row = db.get(Hold, 1, populate_existing=True)
    return HoldView(HoldCode(row.code), row.place, row.key, row.at) if row else None


def refuse_if_moved() -> None:
    """Raise WrongState on a database that takes in nothing, where a process would be of no use."""
    found = current_hold()
    if found and found.takes_in_nothing:
        raise WrongState(found.template, place=found.place)


def refuse_if_moving(db: Session) -> None:
    """Raise Held during a move, for what changes nothing and so is not refused by the database itself."""
    found = read_hold(db)
    if found and found.code not in (HoldCode.RESTORED, HoldCode.STOPPED):
        raise Held(found.template, place=found.place)


def refuse_if_stopped(db: Session) -> None:
    """Raise WrongState while staff have stopped every send, for what would begin to send at once."""
    found = read_hold(db)
    if found and found.code == HoldCode.STOPPED:
        raise WrongState(found.template, place=found.place)


def place_hold(db: Session, code: HoldCode, *, now: datetime, place: str = "", key: str = "") -> None:
    """Hold the installation: from the commit on nothing is sent. What was claimed is handed back within a
    second."""
    db.merge(Hold(id=1, code=code, place=place[:300], key=key, at=now))


def lift_hold(db: Session) -> None:
    """Remove the hold, and let a closed database take in again."""
    _open_database(db)
    db.execute(delete(Hold))


def close_database(db: Session, place: str) -> None:
    """Have SQLite refuse every change from the commit on, except to the tables of `_STAYS_OPEN`. `place` is
    where the installation was moved to."""
    said = place.replace("'", "''")
    for name, event in _guards():
        guard = f"CREATE TRIGGER {name} BEFORE {event} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        db.connection().exec_driver_sql(guard)


def _open_database(db: Session) -> None:
    if db.get_bind().dialect.name == "sqlite":
        for name, _ in _guards():
            db.connection().exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")


def _guards() -> Iterator[tuple[str, str]]:
    """The triggers of a closed database, as (name, event)."""
    for table in Table.metadata.sorted_tables:
        if table.name in _STAYS_OPEN:
            continue
        columns = [f'"{column.name}"' for column in table.columns if column.name not in _SESSIONS]
        for event in ("INSERT", "DELETE", f"UPDATE OF {', '.join(columns)}"):
            yield f"held_{table.name}_{event.split()[0].lower()}", f'{event} ON "{table.name}"'
