"""Checks inside an action's own transaction whether the operator may still do it.

A page that was opened an hour ago knows the operator as they were then: meanwhile they may have been
disabled, demoted, signed out, or kept from a fanpage. So every action begins its transaction with
`authorise`, and says there what it touches: an operator may be limited to some of the fanpages.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Row, inspect, select
from sqlmodel import Session, col

from core.accounts.rules import Actor, Permission, Role
from core.accounts.session_rules import session_is_good
from core.db.engine import transaction
from core.db.tables import Fanpage, Operator, OperatorSession, Table
from core.errors import N_, NotAllowed, SignedOut
from core.settings import settings

SIGNED_OUT = N_("Nothing was done: you have been signed out. Sign in and try again.")
NOT_YOURS = N_(
    "Nothing was done: this belongs to a fanpage you don't manage. Ask an admin if you need access."
)
CONCERNS_ALL = N_(
    "Nothing was done: this affects all fanpages, and you only manage some of them. Ask an admin "
    "who manages all of them."
)
_COLUMNS = (
    col(Operator.role),
    col(Operator.disabled_at),
    col(Operator.must_change_password),
    col(Operator.sessions_valid_after),
    col(Operator.totp_sealed),
    col(Operator.sso_subject),
    col(Operator.fanpage_ids),
)


class Shared(Enum):
    """What an action touches that belongs to no single fanpage."""

    EVERYTHING = "everything"  # users, keys, backups, the stop of every send: for operators of all fanpages
    NO_FANPAGE = "no_fanpage"  # the operator's own account and choices: for everybody


EVERYTHING, NO_FANPAGE = Shared.EVERYTHING, Shared.NO_FANPAGE


@dataclass(frozen=True)
class Belonging:
    """The fanpage to which a row of a table belongs."""

    table: type[Table]
    row_id: int | None


Scope = Shared | Belonging


def of(table: type[Table], row_id: int | None) -> Scope:
    """The fanpage that the row names in `fanpage_id`; a row of `Fanpage` is its own."""
    return Belonging(table, row_id)


def of_fanpages(fanpage_ids: Collection[int] | None) -> list[Scope]:
    """The scope of an action that touches these fanpages; None means all of them. Whoever has none has to
    have all for it, so that it is refused."""
    return [of(Fanpage, each) for each in fanpage_ids] if fanpage_ids else [EVERYTHING]


def authorise(
    db: Session,
    by: Actor,
    permission: Permission,
    scope: Scope,
    *scopes: Scope,
    now: datetime,
    own_account: bool = False,
) -> None:
    """Raise NotAllowed or SignedOut unless this operator has the permission now, for all that is touched.

    It is called first in a transaction. On PostgreSQL the operator's row stays locked until the transaction
    ends: a demotion that was committed before is seen, and a later one waits. `own_account` says that the
    action changes this row itself and is open to somebody who must choose a new password first. The machine
    and the command line have no row; the role of their `Actor` counts, and all fanpages are theirs. Whoever
    is absent needs no session.
    """
    if by.id is None:
        by.require(permission)
        return
    found = _operator(db, by.id, to_change=own_account)
    _refuse_who_is_out(found, by, now)
    _refuse_ended_session(db, by)
    if found.must_change_password and not own_account:
        raise NotAllowed(N_("Nothing was done: choose a password of your own first, then try again."))
    has_code, has_single_sign_on = found.totp_sealed is not None, found.sso_subject is not None
    if not own_account and lacks_second_factor(found.role, has_code, has_single_sign_on):
        raise NotAllowed(N_("Nothing was done: set up your second factor first, then try again."))
    Actor(by.id, by.name, Role(found.role)).require(permission)
    if found.fanpage_ids is not None:
        _refuse_what_is_not_theirs(db, found.fanpage_ids, (scope, *scopes))


def lacks_second_factor(role: str, has_code: bool, has_single_sign_on: bool) -> bool:
    """Whether somebody of this role has to have a second factor, and has none. Whoever comes by single
    sign-on has the one that their provider asks for."""
    asked_of = settings().require_second_factor
    has_one = has_code or has_single_sign_on
    return not has_one and (asked_of == "everybody" or (asked_of == "admins" and role == Role.ADMIN))


def authorise_early(
    by: Actor, permission: Permission, scope: Scope, *, now: datetime, own_account: bool = False
) -> None:
    """Do the same in a transaction of its own, before an action does slow work such as HTTP
    calls or hashing."""
    with transaction() as db:
        authorise(db, by, permission, scope, now=now, own_account=own_account)


def _operator(db: Session, operator_id: int, *, to_change: bool) -> Row[Any]:
    # Not locked as shared first and for a change later: two that did so would wait for each other.
    found = select(*_COLUMNS).where(col(Operator.id) == operator_id)
    row = db.execute(found.with_for_update(read=not to_change, key_share=to_change)).one_or_none()
    if row is None:
        raise SignedOut(N_("Nothing was done: your account no longer exists. Ask an admin for a new one."))
    return row


def _refuse_what_is_not_theirs(db: Session, theirs: Collection[int], scopes: Collection[Scope]) -> None:
    """What is not there (any more) is nobody's."""
    for scope in scopes:
        if scope is Shared.EVERYTHING:
            raise NotAllowed(CONCERNS_ALL)
        if isinstance(scope, Belonging) and _fanpage_id(db, scope) not in theirs:
            raise NotAllowed(NOT_YOURS)


def _fanpage_id(db: Session, of_row: Belonging) -> int | None:
    columns = inspect(of_row.table).columns
    owner = columns["id" if of_row.table is Fanpage else "fanpage_id"]
    found: int | None = db.execute(select(owner).where(columns["id"] == of_row.row_id)).scalar_one_or_none()
    return found


def _refuse_who_is_out(found: Row[Any], by: Actor, now: datetime) -> None:
    if found.disabled_at:
        raise SignedOut(
            N_("Nothing was done: your account has been disabled. Ask an admin if you need it again.")
        )
    if by.is_absent:
        return
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
