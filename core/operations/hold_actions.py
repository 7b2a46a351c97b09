"""Writes about holds by an admin: holding a restored copy, and releasing it."""

from __future__ import annotations

from datetime import datetime

from core.accounts.activity_log import record
from core.accounts.authorising import authorise
from core.accounts.rules import Actor, Permission
from core.db.engine import transaction
from core.db.holding import HoldCode, lift_hold, place_hold, read_hold
from core.errors import N_, WrongState


def hold_restored(by: Actor, *, now: datetime) -> None:
    """Hold a restored database, so that it sends nothing until it is released."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, now=now)
        if found := read_hold(db):
            raise WrongState(found.template, place=found.place)
        place_hold(db, HoldCode.RESTORED, now=now)
        record(db, by, "installation.hold", now=now)


def release_hold(by: Actor, *, now: datetime, although_moved: bool = False) -> None:
    """Let the installation send again. A hold by a move is released only with `although_moved`, where the
    database was moved away from; raises WrongState otherwise."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, now=now)
        found = read_hold(db)
        if found is None:
            raise WrongState(N_("Nothing is held here."))
        if found.code != HoldCode.RESTORED and not (although_moved and found.code == HoldCode.MOVED):
            raise WrongState(found.template, place=found.place)
        lift_hold(db)
        record(db, by, "installation.release", now=now, code=found.code.value)
