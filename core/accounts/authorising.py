"""Checks inside an action's own transaction whether the operator may still do it.

A page that was opened an hour ago knows the operator as they were then: meanwhile they may have been
disabled, demoted or signed out. So every action begins its transaction with `authorise`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session, col

from core.accounts.rules import Actor, Permission, Role, session_is_good
from core.db.engine import transaction
from core.db.tables import Operator, OperatorSession
from core.errors import N_, NotAllowed, SignedOut
from core.settings import settings

SIGNED_OUT = N_("Nothing was done: you have been signed out. Sign in and try again.")
_COLUMNS = (
    col(Operator.role),
    col(Operator.disabled_at),
    col(Operator.must_change_password),
    col(Operator.sessions_valid_after),
    col(Operator.totp_sealed),
)


def authorise(
    db: Session, by: Actor, permission: Permission, *, now: datetime, own_account: bool = False
) -> None:
    """Raise NotAllowed or SignedOut unless this operator has the permission now.

    It is called first in a transaction. On PostgreSQL the operator's row stays locked until the transaction
    ends: a demotion that was committed before is seen, and a later one waits. `own_account` says that the
    action changes this row itself and is open to somebody who must choose a new password first. The machine
    and the command line have no row; the role of their `Actor` counts.
    """
    if by.id is None:
        by.require(permission)
        return
    found = _operator(db, by.id, to_change=own_account)
    _refuse_who_is_out(found, by, now)
    _refuse_ended_session(db, by)
    if found.must_change_password and not own_account:
        raise NotAllowed(N_("Nothing was done: choose a password of your own first, then try again."))
    if not own_account and lacks_second_factor(found.role, has_one=found.totp_sealed is not None):
        raise NotAllowed(N_("Nothing was done: set up your second factor first, then try again."))
    Actor(by.id, by.name, Role(found.role)).require(permission)


def lacks_second_factor(role: str, *, has_one: bool) -> bool:
    """Whether somebody of this role has to have a second factor, and has none."""
    asked_of = settings().require_second_factor
    return not has_one and (asked_of == "everybody" or (asked_of == "admins" and role == Role.ADMIN))


def authorise_early(by: Actor, permission: Permission, *, now: datetime, own_account: bool = False) -> None:
    """Do the same in a transaction of its own, before an action does slow work such as HTTP
    calls or hashing."""
    with transaction() as db:
        authorise(db, by, permission, now=now, own_account=own_account)


def _operator(db: Session, operator_id: int, *, to_change: bool) -> Row[Any]:
    # Not locked as shared first and for a change later: two that did so would wait for each other.
    found = select(*_COLUMNS).where(col(Operator.id) == operator_id)
    row = db.execute(found.with_for_update(read=not to_change, key_share=to_change)).one_or_none()
    if row is None:
        raise SignedOut(N_("Nothing was done: your account no longer exists. Ask an admin for a new one."))
    return row


def _refuse_who_is_out(found: Row[Any], by: Actor, now: datetime) -> None:
    if found.disabled_at:
        raise SignedOut(
            N_("Nothing was done: your account has been disabled. Ask an admin if you need it again.")
        )
    if by.signed_in_at is None or not session_is_good(by.signed_in_at, found.sessions_valid_after, now):
        raise SignedOut(SIGNED_OUT)


def _refuse_ended_session(db: Session, by: Actor) -> None:
    """On PostgreSQL the session's row is locked, too: a sign-out that was committed before is seen."""
    if by.session_id is None:
        return
    session = select(col(OperatorSession.operator_id), col(OperatorSession.ended_at))
    row = db.execute(
        session.where(col(OperatorSession.id) == by.session_id).with_for_update(read=True)
    ).first()
    if row is None or row.ended_at is not None or row.operator_id != by.id:
        raise SignedOut(SIGNED_OUT)
