"""Writes about operators: who may sign in, with which role and password. One admin always remains."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import col

from core.accounts import activity_log
from core.accounts.authorising import EVERYTHING, NO_FANPAGE, authorise
from core.accounts.operator_rows import (
    existing_fanpages,
    get_operator_row,
    hand_over,
    keep_an_admin,
    lock_operators,
    names_of_fanpages,
    record,
    refuse_by_single_sign_on,
)
from core.accounts.passwords import (
    check_new_password,
    fresh_password,
    fresh_password_for,
    hash_password,
    password_matches,
)
from core.accounts.queries import OperatorView, find_password_hash, operator_view
from core.accounts.rules import (
    SYSTEM,
    Actor,
    Permission,
    Role,
    check_operator_name,
    normalise_operator_name,
)
from core.accounts.sessions import begin_session, end_sessions_of
from core.accounts.sign_in import (
    begin_sign_in,
    forget_all_attempts,
    forget_attempts,
    may_have_password,
    refuse_password,
)
from core.db.advisory_locks import OPERATORS_LOCK, take_lock
from core.db.engine import transaction
from core.db.tables import Operator
from core.errors import N_, Invalid, NotAllowed, Problem, problem, refuse_invalid

FIRST_ADMIN = "admin"
ROLE_FROM_ELSEWHERE = N_(
    "{name} comes by single sign-on, which says what their role is. Change it where accounts are managed "
    "there; it counts from their next sign-in."
)
COMES_BY_ITSELF = N_(
    "Passwords are for admins here. Everybody else comes by single sign-on, and becomes a user the first "
    "time."
)
NO_PASSWORD = N_("{name} comes by single sign-on and has no password here.")


def ensure_admin(now: datetime) -> str | None:
    """Add the first admin of an empty installation and return the password; None when there is
    an operator."""
    password = fresh_password()
    password_hash = hash_password(password)
    with transaction() as db:
        take_lock(db, OPERATORS_LOCK)
        if db.scalar(select(col(Operator.id)).limit(1)) is not None:
            return None
        row = _new(FIRST_ADMIN, Role.ADMIN, password_hash, now)
        hand_over(row, now)
        db.add(row)
        activity_log.record(db, SYSTEM, "operator.add", now=now, subject=FIRST_ADMIN, role=Role.ADMIN.value)
    return password


def add_operator(
    by: Actor,
    name: str,
    role: str,
    password: str,
    *,
    fanpage_ids: Collection[int] | None = None,
    must_change_password: bool = False,
    now: datetime,
) -> OperatorView:
    """Add an operator, of all fanpages or of some. Raises Invalid for a bad name, password or role, or a name
    that is taken."""
    name = normalise_operator_name(name)
    refuse_invalid(check_operator_name(name) + check_new_password(password, name) + _check_role(role))
    if not may_have_password(role):
        raise Invalid([problem("role", COMES_BY_ITSELF)])
    row = _new(name, Role(role), hash_password(password), now)
    if must_change_password:
        hand_over(row, now)
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        if db.scalar(select(col(Operator.id)).where(col(Operator.name) == name)) is not None:
            raise Invalid([problem("name", N_("There is already a user called {name}."), name=name)])
        row.fanpage_ids = existing_fanpages(db, fanpage_ids)
        db.add(row)
        db.flush()
        record(db, by, "operator.add", row, now, role=row.role, **names_of_fanpages(db, row.fanpage_ids))
        return operator_view(row)


def invite_operator(
    by: Actor, name: str, role: str, *, fanpage_ids: Collection[int] | None = None, now: datetime
) -> tuple[OperatorView, str]:
    """Add an operator with a fresh password, which they must change and which cannot be shown again."""
    password = fresh_password_for(normalise_operator_name(name))
    made = add_operator(by, name, role, password, fanpage_ids=fanpage_ids, must_change_password=True, now=now)
    return made, password


def change_role(by: Actor, operator_id: int, role: str, *, now: datetime) -> OperatorView:
    """Give an operator another role. Raises WrongState for the last admin."""
    refuse_invalid(_check_role(role))
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        row = get_operator_row(db, operator_id)
        refuse_by_single_sign_on(row, ROLE_FROM_ELSEWHERE)
        if role == row.role:
            return operator_view(row)
        if role != Role.ADMIN:
            keep_an_admin(db, row)
        was, row.role = row.role, Role(role).value
        record(db, by, "operator.change_role", row, now, role=row.role, was=was)
        return operator_view(row)


def limit_to_fanpages(
    by: Actor, operator_id: int, fanpage_ids: Collection[int] | None, *, now: datetime
) -> OperatorView:
    """Let an operator see and change these fanpages only, or (None) all of them. When they lose one, their
    sessions end: nothing of it stays on a screen. Raises Invalid for no fanpage at all, and WrongState for
    the last admin of all fanpages."""
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        row, chosen = get_operator_row(db, operator_id), existing_fanpages(db, fanpage_ids)
        if chosen == row.fanpage_ids:
            return operator_view(row)
        if chosen is not None:
            keep_an_admin(db, row)
        if chosen is not None and (row.fanpage_ids is None or not set(row.fanpage_ids) <= set(chosen)):
            row.sessions_valid_after = now
        names = {**names_of_fanpages(db, chosen), **names_of_fanpages(db, row.fanpage_ids, "were")}
        row.fanpage_ids = chosen
        verb = "operator.give_all_fanpages" if chosen is None else "operator.limit_to_fanpages"
        record(db, by, verb, row, now, **names)
        return operator_view(row)


def disable_operator(by: Actor, operator_id: int, *, now: datetime) -> None:
    """End an operator's sessions and let them sign in no more. Raises WrongState for the last admin."""
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        row = get_operator_row(db, operator_id)
        if row.disabled_at is not None:
            return
        keep_an_admin(db, row)
        row.disabled_at = row.sessions_valid_after = now
        record(db, by, "operator.disable", row, now)


def enable_operator(by: Actor, operator_id: int, *, now: datetime) -> None:
    """Let a disabled operator sign in again."""
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        row = get_operator_row(db, operator_id)
        if row.disabled_at is None:
            return
        row.disabled_at = None
        record(db, by, "operator.enable", row, now)


def reset_password(by: Actor, operator_id: int, *, now: datetime) -> str:
    """Give an operator a fresh password, which they must change, end their sessions and forget their failed
    sign-ins. Returns the password."""
    password = fresh_password()
    password_hash = hash_password(password)
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        row = get_operator_row(db, operator_id)
        refuse_by_single_sign_on(row, NO_PASSWORD)
        row.password_hash, row.sessions_valid_after = password_hash, now
        hand_over(row, now)
        forget_all_attempts(db, row.name, now)
        record(db, by, "operator.reset_password", row, now)
    return password


def set_exports(by: Actor, operator_id: int, *, allowed: bool, now: datetime) -> None:
    """Allow an operator to export whose role does not include it, or not any more."""
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        row = get_operator_row(db, operator_id)
        if row.may_export == allowed:
            return
        row.may_export = allowed
        record(db, by, "operator.allow_exports" if allowed else "operator.allow_no_exports", row, now)


def end_sessions(by: Actor, operator_id: int, *, now: datetime) -> None:
    """Sign an operator out everywhere. Everybody may do it to themselves, an admin to everybody."""
    needed = Permission.VIEW if by.id == operator_id else Permission.ADMIN
    with transaction() as db:
        lock_operators(db, by, needed, now, NO_FANPAGE if by.id == operator_id else EVERYTHING)
        row = get_operator_row(db, operator_id)
        row.sessions_valid_after = now
        record(db, by, "operator.end_sessions", row, now)


def change_own_password(by: Actor, old: str, new: str, *, browser: str = "", now: datetime) -> str:
    """Change one's own password. All of one's sessions end, and a new one begins. Returns its ticket."""
    if by.id is None:
        raise NotAllowed(N_("Sign in to change a password."))
    with transaction() as db:
        authorise(db, by, Permission.VIEW, NO_FANPAGE, now=now, own_account=True)
        refuse_by_single_sign_on(get_operator_row(db, by.id), NO_PASSWORD)
    begin_sign_in(by.name, by.address, now=now)  # whoever guesses the present one here is counted as well
    _check_new_password(by, old, new)
    new_hash = hash_password(new)
    with transaction() as db:
        lock_operators(db, by, Permission.VIEW, now, NO_FANPAGE, own_account=True)
        row = get_operator_row(db, by.id)
        refuse_password(row.role)
        row.password_hash, row.sessions_valid_after = new_hash, now
        row.must_change_password, row.password_expires_at = False, None
        end_sessions_of(db, by.id, now=now)
        forget_attempts(db, by.name, by.address)
        record(db, by, "operator.change_password", row, now)
        return begin_session(db, by.id, address=by.address, browser=browser, now=now)[1]


def set_language(by: Actor, language: str, *, now: datetime) -> None:
    """Keep the language in which an operator reads the panel. It is not logged as an activity."""
    with transaction() as db:
        authorise(db, by, Permission.VIEW, NO_FANPAGE, now=now, own_account=True)
        db.execute(update(Operator).where(col(Operator.id) == by.id).values(language=language))


def _check_new_password(by: Actor, old: str, new: str) -> None:
    if not password_matches(old, find_password_hash(by.name)):
        raise Invalid([problem("old", N_("The current password is wrong."))])
    if old == new:
        raise Invalid([problem("password", N_("The new password is the same as the current one."))])
    refuse_invalid(check_new_password(new, by.name))


def _new(name: str, role: Role, password_hash: str, now: datetime) -> Operator:
    return Operator(
        name=name, role=role.value, password_hash=password_hash, sessions_valid_after=now, created_at=now
    )


def _check_role(role: str) -> list[Problem]:
    if role in tuple(Role):
        return []
    return [problem("role", N_("The role must be viewer, editor, sender or admin."))]
