"""Writes about holds: stopping every send and letting it go on, releasing what was restored or moved."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col

from core.accounts.activity_log import record
from core.accounts.authorising import EVERYTHING, authorise
from core.accounts.rules import Actor, Permission
from core.db import bulk
from core.db.engine import transaction
from core.db.holding import HoldCode, lift_hold, place_hold, read_hold
from core.db.tables import Backup
from core.errors import N_, WrongState

RELEASED = "released"  # in place of a file's name, in the row of a backup that was put back


def stop_sending(by: Actor, *, now: datetime) -> None:
    """Stop every send of the installation: broadcasts, answers and requests of all fanpages. What is on the
    wire is settled, nothing else leaves. Stopping twice changes nothing."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, EVERYTHING, now=now)
        found = read_hold(db)
        if found and found.code == HoldCode.STOPPED:
            return
        if found:
            raise WrongState(found.template, place=found.place)
        place_hold(db, HoldCode.STOPPED, now=now, place=by.name)
        record(db, by, "installation.stop", now=now)


def release_hold(by: Actor, *, now: datetime, although_moved: bool = False) -> None:
    """Let the installation send again. Whoever may send lifts a stop; any other hold needs an admin. A hold
    by a move is released only with `although_moved`, where the database was moved away from; raises
    WrongState otherwise."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, EVERYTHING, now=now)
        found = read_hold(db)
        if found is None:
            raise WrongState(N_("Nothing is on hold here."))
        if found.code != HoldCode.STOPPED:
            authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        at_will = (HoldCode.STOPPED, HoldCode.RESTORED)
        if found.code not in at_will and not (although_moved and found.code == HoldCode.MOVED):
            raise WrongState(found.template, place=found.place)
        if found.code == HoldCode.RESTORED:  # this copy's mark, by which a start knows that it is one
            db.execute(bulk.change(Backup, col(Backup.place) == "").values(place=RELEASED))
        lift_hold(db)
        verb = "installation.go_on" if found.code == HoldCode.STOPPED else "installation.release"
        record(db, by, verb, now=now, code=found.code.value)
