"""Moves an installation: holds the old database, waits for open calls, copies a snapshot, checks it, and
releases the new database.

At every moment at most one of the two may send. The old database is closed before the copy is read. The new
one is held from its first row on, and released only after the old one is marked as moved.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.authorising import EVERYTHING, authorise, authorise_early
from core.accounts.rules import Actor, Permission
from core.conversation.rules import ReplyState
from core.db import holding, migrations
from core.db.engine import reading, transaction
from core.db.file_lock import file_lock
from core.db.holding import HoldCode, HoldView
from core.db.tables import Delivery, Reply
from core.deliveries.rules import DeliveryState
from core.errors import OperatorError, WrongState
from core.installation import key_check
from core.moving import checking, copying
from core.moving import target as far
from core.moving.target import Target
from core.sending import claims
from core.sending.replies import claims as reply_claims
from core.settings import settings

LOOK_AGAIN_SECONDS = 0.25
SAY_AGAIN_SECONDS = 2.0


@dataclass(frozen=True)
class MoveResult:
    """Where the installation was moved to, how many rows arrived, and the broadcasts that go on there."""

    place: str
    rows: dict[str, int]
    going_on: list[tuple[int, str, int]]  # broadcasts: id, name, deliveries left


@dataclass
class Move:
    """One attempt to move. It may be repeated after a failure at any point."""

    by: Actor
    address: str
    clock: Callable[[], datetime]
    say: Callable[[str], None]
    wait_seconds: float
    key: str = field(default_factory=lambda: secrets.token_hex(8))

    def run(self) -> MoveResult:
        """Move the installation, or finish a move that broke off. Raises OperatorError."""
        authorise_early(self.by, Permission.ADMIN, EVERYTHING, now=self.clock())
        self._check_source()
        target = Target(self.address)
        try:
            with _alone():
                found = holding.current_hold()
                if found and found.code == HoldCode.MOVED:
                    return self._finish(target, found)
                self._refuse_if_held(found)
                return self._move(target)
        finally:
            target.close()

    def _check_source(self) -> None:
        if settings().is_postgresql:
            raise WrongState("A move starts from SQLite; OTN_DATABASE_URL already names PostgreSQL.")
        migrations.refuse_unless_current()
        key_check.refuse_another_key()

    def _refuse_if_held(self, found: HoldView | None) -> None:
        if found and found.code != HoldCode.LEAVING:  # that is one that broke off: we start again
            raise WrongState(found.template, place=found.place)

    def _move(self, target: Target) -> MoveResult:
        target.prepare()
        with target.transaction() as connection:
            far.take_over(connection)  # only to check that it is fit, before anything is held
        try:
            self._hold(target.place)
            self._wait_for_open_calls(target.place)
            moved = self._copy(target)
        except BaseException:
            self._give_up()
            raise
        try:
            self._mark_as_moved(target.place)
            self._release_target(target)
        except BaseException:
            self.say("All has arrived and is held at both ends; repeat the same command to end the move.")
            raise
        return moved

    def _hold(self, place: str) -> None:
        with transaction() as db:
            authorise(db, self.by, Permission.ADMIN, EVERYTHING, now=self.clock())
            holding.lift_hold(db)
            holding.place_hold(db, HoldCode.LEAVING, now=self.clock(), place=place, key=self.key)
        self.say("Held: nothing new is sent from the old database.")

    def _wait_for_open_calls(self, place: str) -> None:
        """Wait until no message is claimed any more, and close the old database in the same transaction."""
        until, said_at = time.monotonic() + self.wait_seconds, 0.0
        while True:
            claims.take_over_lost(now=self.clock())
            reply_claims.end_lost(now=self.clock())
            with transaction() as db:
                left = _claimed_messages(db)
                if left == 0:
                    holding.close_database(db, place)
                    return
            if time.monotonic() > until:
                raise OperatorError(
                    "{left} messages were still on the wire after {seconds} seconds; try again later.",
                    left=left,
                    seconds=round(self.wait_seconds),
                )
            if time.monotonic() - said_at > SAY_AGAIN_SECONDS:
                self.say(f"Waiting for {left} messages on the wire …")
                said_at = time.monotonic()
            time.sleep(LOOK_AGAIN_SECONDS)

    def _copy(self, target: Target) -> MoveResult:
        """Copy one snapshot in one transaction, so that all of it arrives and is checked, or nothing does."""
        with reading() as db, target.transaction() as connection:
            source: Any = db.connection().connection.driver_connection
            far.take_over(connection)
            rows = {}
            for table in copying.tables():
                rows[table.name] = self._copy_table(source, connection, table, target)
            with Session(connection) as there:
                if checking.read_totals(db) != checking.read_totals(there):
                    raise _differs("books")
                going_on = checking.unfinished_broadcasts(there)
                holding.place_hold(there, HoldCode.ARRIVING, now=self.clock(), place=_here(), key=self.key)
                there.flush()
            return MoveResult(target.place, rows, going_on)

    def _copy_table(self, source: Any, connection: Connection, table: Any, target: Target) -> int:
        try:
            read = copying.copy(source, connection.connection.driver_connection, table)
        except OperatorError:
            raise
        except Exception as problem:
            raise OperatorError(
                "It could not be copied: table {table}, {said}", table=table.name, said=target.said(problem)
            ) from None
        if read != copying.arrived(connection, table):
            raise _differs(table.name)
        copying.set_sequence(connection, table)
        if read.rows:
            self.say(f"{table.name}: {read.rows:,} rows copied and checked")
        return read.rows

    def _give_up(self) -> None:
        """Release the old database, which goes on as before."""
        with transaction() as db:
            holding.lift_hold(db)
        self.say("The move did not succeed; the old database goes on as before.")

    def _mark_as_moved(self, place: str) -> None:
        with transaction() as db:
            holding.place_hold(db, HoldCode.MOVED, now=self.clock(), place=place, key=self.key)

    def _release_target(self, target: Target) -> None:
        with target.transaction() as connection, Session(connection) as there:
            holding.lift_hold(there)
            activity_log.record(there, self.by, "installation.move_in", now=self.clock())
            there.flush()
        target.analyze()

    def _finish(self, target: Target, found: HoldView) -> MoveResult:
        """Finish a move that broke off at its end: everything was copied, and the new database
        is still held."""
        with target.transaction() as connection:
            there = far.hold_of(connection)
            if there is None or there.key != found.key:
                raise WrongState(found.template, place=found.place)
            with Session(connection) as db:
                rows = {table.name: copying.arrived(connection, table).rows for table in copying.tables()}
                moved = MoveResult(target.place, rows, checking.unfinished_broadcasts(db))
        self._release_target(target)
        return moved


def abandon(by: Actor, *, now: datetime) -> None:
    """Let the old database go on after a move that broke off and will not be repeated."""
    with _alone(), transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        found = holding.read_hold(db)
        if found and found.code == HoldCode.LEAVING:
            holding.lift_hold(db)
            activity_log.record(db, by, "installation.release", now=now, code=found.code.value)


@contextmanager
def _alone() -> Iterator[None]:
    """One move at a time; the lock goes with the process, however that ends."""
    with file_lock(settings().data_dir / "move.lock") as is_alone:
        if not is_alone:
            raise WrongState("Another move of this installation is running.")
        yield


def _claimed_messages(db: Session) -> int:
    found = [
        select(func.count()).where(col(Delivery.state) == DeliveryState.SENDING),
        select(func.count()).where(col(Reply.state) == ReplyState.SENDING),
    ]
    return sum(int(db.execute(each).scalar_one()) for each in found)


def _here() -> str:
    return settings().database_url


def _differs(what: str) -> OperatorError:
    return OperatorError(
        "What arrived is not what was read ({what} differs); nothing was kept of it.", what=what
    )
