"""Lets an operator who has a password come by single sign-on from now on, as the one they are, and back.

Nobody is recognised by a name or an address: they prove here that they are the operator, by their session and
their password, and at the provider who they are there.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from core.accounts.authorising import NO_FANPAGE
from core.accounts.operator_rows import (
    get_operator_row,
    hand_over,
    keep_an_admin,
    lock_operators,
    record,
    refuse_by_single_sign_on,
)
from core.accounts.passwords import fresh_password, hash_password, password_matches
from core.accounts.queries import find_password_hash
from core.accounts.rules import Actor, Permission, Role
from core.accounts.second_factor import WRONG_CODE
from core.accounts.sessions import end_sessions_of
from core.accounts.sign_in import (
    SINGLE_SIGN_ON,
    begin_recorded_session,
    begin_sign_in,
    forget_attempts,
    may_have_password,
)
from core.accounts.single_sign_on.rules import Identity, SingleSignOnFailed, Trouble
from core.accounts.single_sign_on.sign_in import find_disabled_namesake, find_operator, set_role
from core.accounts.totp import take_code
from core.db.engine import transaction
from core.db.tables import Operator
from core.errors import N_, Invalid, WrongState, problem

ALREADY = N_("{name} already comes by single sign-on.")
NO_COMPANY_ACCOUNT = N_("{name} does not come by single sign-on.")
ENABLE_FIRST = N_(
    "{name} is disabled, which keeps their company account out. Enable {name} first if it may come in again."
)


def prove_password(by: Actor, password: str, code: str = "", *, now: datetime) -> None:
    """Raise Invalid unless this is the operator's password (and a code of their second factor, if they have
    one), before they leave for the provider. Wrong ones count as failed sign-ins: LockedOut after too many.
    Before any is counted, raises WrongState for whoever comes by single sign-on, and for the last admin with
    a password."""
    with transaction() as db:
        lock_operators(db, by, Permission.VIEW, now, NO_FANPAGE, own_account=True)
        row = get_operator_row(db, by.id or 0)
        refuse_by_single_sign_on(row, ALREADY)
        keep_an_admin(db, row)
    begin_sign_in(by.name, by.address, now=now)
    if not password_matches(password, find_password_hash(by.name)):
        raise Invalid([problem("old", N_("The current password is wrong."))])
    with transaction() as db:
        lock_operators(db, by, Permission.VIEW, now, NO_FANPAGE, own_account=True)
        row = get_operator_row(db, by.id or 0)
        if row.totp_sealed is not None and not take_code(row, code, now):
            raise Invalid([problem("code", WRONG_CODE)])
        forget_attempts(db, by.name, by.address)


def find_other(operator_id: int, identity: Identity) -> str | None:
    """The name of the operator who is this person at the provider until now, and would be disabled if
    `operator_id` changes over. Raises SingleSignOnFailed where `link` would."""
    with transaction() as db:
        _role_there(identity)
        other = _other(db, get_operator_row(db, operator_id), identity)
        return other.name if other else None


def link(by: Actor, identity: Identity, address: str, *, browser: str = "", now: datetime) -> str:
    """Make an operator the one whom the provider calls so, with the role that it gives; their name, their
    fanpages and what they did stay. Their password and second factor go and all sessions end. Begins a new
    one and returns its ticket.

    If that person is an operator already, who came by single sign-on, that one is disabled: it was the same
    person. Raises SingleSignOnFailed for somebody without a role, or whose operator there is disabled, and
    for the last admin with a password; SignedOut when the session has ended.
    """
    with transaction() as db:
        lock_operators(db, by, Permission.VIEW, now, NO_FANPAGE, own_account=True)
        row = get_operator_row(db, by.id or 0)
        role = _role_there(identity)
        if other := _other(db, row, identity):
            _take_over(db, by, other, now)
        row.sso_issuer, row.sso_subject, row.sso_name = identity.issuer, identity.subject, identity.name
        row.password_hash = row.password_expires_at = row.totp_sealed = row.totp_step = None
        row.must_change_password, row.sessions_valid_after, row.last_seen_at = False, now, now
        end_sessions_of(db, row.id or 0, now=now)
        record(db, by, "operator.link_single_sign_on", row, now)
        set_role(db, row, role, now)
        forget_attempts(db, SINGLE_SIGN_ON, address)
        return begin_recorded_session(
            db, row, "operator.single_sign_on", address=address, browser=browser, now=now
        )


def unlink(by: Actor, operator_id: int, *, now: datetime) -> str | None:
    """Take the company account from an operator: whoever comes with it next is somebody new. Their name, role
    and fanpages stay, and their sessions end. Returns the fresh password by which they come from now on, and
    which they must change; None for whoever may have none, and so has no way in.

    Raises WrongState for whoever comes by no company account, and for somebody disabled, whose account stays
    out because it is still theirs.
    """
    password = fresh_password()
    password_hash = hash_password(password)
    with transaction() as db:
        lock_operators(db, by, Permission.ADMIN, now)
        row = get_operator_row(db, operator_id)
        if row.sso_subject is None:
            raise WrongState(NO_COMPANY_ACCOUNT, name=row.name)
        if row.disabled_at is not None:
            raise WrongState(ENABLE_FIRST, name=row.name)
        was, row.sso_issuer, row.sso_subject, row.sso_name = row.sso_name or "", None, None, None
        has_password = may_have_password(row.role)
        if has_password:
            row.password_hash = password_hash
            hand_over(row, now)
        row.sessions_valid_after = now
        end_sessions_of(db, operator_id, now=now)
        record(db, by, "operator.unlink_single_sign_on", row, now, was=was)
        return password if has_password else None


def _keep_an_admin(db: Session, row: Operator) -> None:
    try:
        keep_an_admin(db, row)
    except WrongState:
        raise SingleSignOnFailed(Trouble.LAST_ADMIN) from None


def _role_there(identity: Identity) -> Role:
    if identity.role is None:
        raise SingleSignOnFailed(Trouble.NO_ROLE)
    return identity.role


def _other(db: Session, row: Operator, identity: Identity) -> Operator | None:
    """The operator who is this person there until now, once nothing stands against changing over."""
    if row.sso_subject is not None:
        raise SingleSignOnFailed(Trouble.STALE, "it was done already")
    _keep_an_admin(db, row)
    other = find_operator(db, identity) or find_disabled_namesake(db, identity.name)
    if other is not None and other.disabled_at:
        raise SingleSignOnFailed(Trouble.DISABLED)
    return other


def _take_over(db: Session, by: Actor, other: Operator, now: datetime) -> None:
    """Take who they are at the provider from the operator who was it until now."""
    other.sso_issuer = other.sso_subject = other.sso_name = None
    other.disabled_at = other.sessions_valid_after = now
    db.flush()  # one operator at a time may be this person
    record(db, by, "operator.disable", other, now)
