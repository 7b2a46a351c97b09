"""Signs in whom an OpenID provider vouches for. Its word on the role counts at each sign-in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from core.accounts.operator_rows import record
from core.accounts.rules import ATTEMPT_WINDOW, ATTEMPTS_BY_ADDRESS, SYSTEM, Role, counted_address
from core.accounts.session_queries import has_open_session
from core.accounts.sign_in import SINGLE_SIGN_ON, begin_recorded_session, forget_attempts
from core.accounts.single_sign_on.rules import (
    NAMELESS,
    Identity,
    SingleSignOnFailed,
    Trouble,
    free_name,
    was_called,
)
from core.db.advisory_locks import OPERATORS_LOCK, SIGN_IN_LOCK, take_lock
from core.db.engine import transaction
from core.db.tables import Operator, SignInAttempt
from core.settings import settings


def begin_single_sign_on(address: str, *, now: datetime) -> None:
    """Count an attempt before the provider is asked. Raises SingleSignOnFailed when there were too many from
    this address. A success takes those of its address back."""
    counted = counted_address(address)
    theirs = col(SignInAttempt.name) == SINGLE_SIGN_ON, col(SignInAttempt.address) == counted
    recent = select(func.count()).where(*theirs, col(SignInAttempt.at) > now - ATTEMPT_WINDOW)
    with transaction() as db:
        take_lock(db, SIGN_IN_LOCK)
        may_try = (db.scalar(recent) or 0) < ATTEMPTS_BY_ADDRESS
        if may_try:
            db.add(SignInAttempt(name=SINGLE_SIGN_ON, address=counted, at=now))
    if not may_try:
        raise SingleSignOnFailed(Trouble.TOO_MANY)


def complete_single_sign_on(
    identity: Identity, address: str, *, browser: str = "", language: str | None = None, now: datetime
) -> str:
    """Begin a session of whoever this is, and return its ticket. Somebody new becomes an operator with the
    role that they have at the provider, and the fanpages that `OTN_SSO_FANPAGES` says; of somebody known the
    role is set anew. Nobody is recognised by a name or an e-mail address.

    Raises SingleSignOnFailed for somebody without a role, whose sessions end, and for a disabled operator,
    or somebody new with the name of one: a change of the client or the issuer gives everybody another
    subject, and must not let in who was disabled. `language` is kept for somebody who has chosen none yet.
    """
    with transaction() as db:
        take_lock(db, OPERATORS_LOCK)
        row = find_operator(db, identity) or find_disabled_namesake(db, identity.name)
        if row is not None and row.disabled_at:
            refusal, ticket = Trouble.DISABLED, ""
        elif identity.role is None:
            refusal, ticket = Trouble.NO_ROLE, ""
            if row is not None:
                _take_role(db, row, now)
        else:
            row = row or _add(db, identity, identity.role, now)
            set_role(db, row, identity.role, now)
            row.sso_name, row.last_seen_at, row.language = identity.name, now, row.language or language
            forget_attempts(db, SINGLE_SIGN_ON, address)
            ticket = begin_recorded_session(
                db, row, "operator.single_sign_on", address=address, browser=browser, now=now
            )
    if not ticket:
        raise SingleSignOnFailed(refusal)
    return ticket


def find_operator(db: Session, identity: Identity) -> Operator | None:
    """The operator who is this person at the provider, whose row stays locked."""
    theirs = col(Operator.sso_issuer) == identity.issuer, col(Operator.sso_subject) == identity.subject
    return db.scalar(select(Operator).where(*theirs).with_for_update())


def find_disabled_namesake(db: Session, name: str) -> Operator | None:
    """A disabled operator of single sign-on who was called so at the provider, or wanted this name here;
    "user" is what the nameless are called."""
    if name == NAMELESS:
        return None
    disabled = col(Operator.sso_subject).is_not(None), col(Operator.disabled_at).is_not(None)
    there, here = col(Operator.sso_name) == name, col(Operator.name).startswith(name, autoescape=True)
    rows = db.scalars(select(Operator).where(*disabled, or_(there, here)))
    return next((row for row in rows if row.sso_name == name or was_called(row.name, name)), None)


def _add(db: Session, identity: Identity, role: Role, now: datetime) -> Operator:
    taken = select(col(Operator.name)).where(col(Operator.name).startswith(identity.name, autoescape=True))
    row = Operator(
        name=free_name(identity.name, set(db.scalars(taken))),
        role=role.value,
        sso_issuer=identity.issuer,
        sso_subject=identity.subject,
        fanpage_ids=None if settings().sso_fanpages == "all" else [],
        sessions_valid_after=now,
        created_at=now,
    )
    db.add(row)
    db.flush()
    record(db, SYSTEM, "operator.add_by_single_sign_on", row, now, role=row.role)
    return row


def set_role(db: Session, row: Operator, role: Role, now: datetime) -> None:
    """Give an operator the role that the provider says."""
    if row.role != role:
        was, row.role = row.role, role.value
        record(db, SYSTEM, "operator.change_role_by_single_sign_on", row, now, role=row.role, was=was)


def _take_role(db: Session, row: Operator, now: datetime) -> None:
    """The lowest is left, with which nobody gets in who has none at the provider. Another try is no news."""
    is_news = row.role != Role.VIEWER or has_open_session(db, row, now)
    row.sessions_valid_after = now
    was, row.role = row.role, Role.VIEWER.value
    if is_news:
        record(db, SYSTEM, "operator.lose_role", row, now, was=was)
