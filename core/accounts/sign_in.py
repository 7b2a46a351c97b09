"""Signs operators in. An attempt is counted before its password is checked."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.rules import (
    ATTEMPT_WINDOW,
    SYSTEM,
    Actor,
    FailedSignIn,
    Role,
    counted_address,
    has_expired,
    locked_until,
    normalise_operator_name,
)
from core.accounts.session_rules import KEEP_SESSIONS
from core.accounts.sessions import begin_session
from core.accounts.totp import take_code
from core.db.advisory_locks import SIGN_IN_LOCK, take_lock
from core.db.engine import transaction
from core.db.tables import Operator, OperatorSession, SignInAttempt
from core.errors import N_, NotAllowed
from core.settings import settings

EXPIRED = N_(
    "This password was issued more than a week ago and is no longer valid. Ask an admin for a new one."
)
CHANGED = N_("Your password was changed, or you were signed out, since you entered it. Enter it again.")
ONLY_ADMINS = N_("Passwords are for admins here. Sign in by the button above; if you can't, ask an admin.")
KEEP_ATTEMPTS = timedelta(days=1)
# In place of a name, of which none has capitals: attempts by single sign-on count for themselves, since a
# provider that fails must not lock out an admin with a password.
SINGLE_SIGN_ON = "Single sign-on"


class LockedOut(NotAllowed):
    """There were too many failed sign-ins."""

    code = "locked_out"


class PasswordExpired(NotAllowed):
    """The password that was given is not good any more."""


class PasswordNotAllowed(NotAllowed):
    """Somebody of this role signs in by single sign-on only."""


def may_have_password(role: str) -> bool:
    """Whether somebody of this role may sign in with a password."""
    return settings().password_sign_in == "everybody" or role == Role.ADMIN


def refuse_password(role: str) -> None:
    """Raise PasswordNotAllowed unless somebody of this role may sign in with a password."""
    if not may_have_password(role):
        raise PasswordNotAllowed(ONLY_ADMINS)


def begin_sign_in(name: str, address: str, *, now: datetime) -> None:
    """Count an attempt to sign in. Raises LockedOut when there were too many.

    It is counted before the password is checked, so that guesses made at once all count. A success takes its
    own attempts back.
    """
    name, counted = normalise_operator_name(name), counted_address(address)
    with transaction() as db:
        take_lock(db, SIGN_IN_LOCK)
        known = counted in _own_addresses(db, name, now)
        ends = locked_until(name, counted, _recent(db, name, counted, now), now, known=known)
        if ends is None:
            db.add(SignInAttempt(name=name, address=counted, at=now))
            if locked_until(name, counted, _recent(db, name, counted, now), now, known=known) is not None:
                known_name = name if _is_name(db, name) else ""  # perhaps a password was typed
                activity_log.record(
                    db, SYSTEM, "operator.last_try", now=now, subject=known_name, address=address
                )
    if ends is not None:
        minutes = max(1, -int((now - ends).total_seconds() // 60))
        raise LockedOut(
            N_("Too many failed attempts. Please wait {minutes} minutes and try again."), minutes=minutes
        )


def complete_sign_in(
    name: str,
    address: str,
    *,
    code: str = "",
    browser: str = "",
    language: str | None = None,
    password_seen_at: datetime | None = None,
    hash_seen: str | None = None,
    now: datetime,
) -> str | None:
    """Record that a sign-in succeeded, and begin a session. Returns its ticket; None when the code of the
    second factor is wrong, or the operator was disabled meanwhile. Raises PasswordExpired and
    PasswordNotAllowed.

    `password_seen_at` is when the password was found right, if not now: it is asked for anew when it was
    changed or the operator was signed out everywhere since; so it is when `hash_seen`, with which it was
    compared, is not the present hash. `language` is kept for somebody who has chosen
    none yet.
    """
    name = normalise_operator_name(name)
    with transaction() as db:
        row = db.scalar(select(Operator).where(col(Operator.name) == name).with_for_update())
        if row is None or row.id is None or row.disabled_at or row.password_hash is None:
            return None
        if password_seen_at is not None and row.sessions_valid_after > password_seen_at:
            raise PasswordExpired(CHANGED)
        if hash_seen is not None and not hmac.compare_digest(hash_seen, row.password_hash):
            raise PasswordExpired(CHANGED)
        refuse_password(row.role)
        if has_expired(row.password_expires_at, now):
            raise PasswordExpired(EXPIRED)
        if row.totp_sealed is not None and not take_code(row, code, now):
            return None
        row.last_seen_at, row.language = now, row.language or language
        forget_attempts(db, name, address)
        db.execute(delete(SignInAttempt).where(col(SignInAttempt.at) < now - KEEP_ATTEMPTS))
        return begin_recorded_session(db, row, "operator.sign_in", address=address, browser=browser, now=now)


def begin_recorded_session(
    db: Session, row: Operator, verb: str, *, address: str, browser: str, now: datetime
) -> str:
    """Begin a session of an operator and record by this verb how they came in. Returns its ticket."""
    session_id, ticket = begin_session(db, row.id or 0, address=address, browser=browser, now=now)
    actor = Actor(row.id, row.name, Role(row.role), None, session_id, address[:64])
    activity_log.record(db, actor, verb, now=now, subject_id=row.id, subject=row.name)
    return ticket


def forget_attempts(db: Session, name: str, address: str | None = None) -> int:
    """Forget the failed sign-ins of a name, from one address or from all. Returns how many there were."""
    mine = delete(SignInAttempt).where(col(SignInAttempt.name) == name)
    if address is not None:
        mine = mine.where(col(SignInAttempt.address) == counted_address(address))
    return len(db.scalars(mine.returning(col(SignInAttempt.id))).all())


def forget_all_attempts(db: Session, name: str, now: datetime) -> int:
    """Forget the failed sign-ins of a name from everywhere, and everybody's from the addresses where its
    owner has signed in lately: a stranger at one of them may have locked it. Returns how many there were."""
    return forget_attempts(db, name) + forget_attempts_from(db, _own_addresses(db, name, now))


def forget_attempts_from(db: Session, counted: Collection[str]) -> int:
    """Forget everybody's failed sign-ins from addresses as they are counted, by single sign-on, too."""
    theirs = delete(SignInAttempt).where(col(SignInAttempt.address).in_(counted))
    return len(db.scalars(theirs.returning(col(SignInAttempt.id))).all())


def _is_name(db: Session, name: str) -> bool:
    return db.scalar(select(col(Operator.id)).where(col(Operator.name) == name)) is not None


def _own_addresses(db: Session, name: str, now: datetime) -> set[str]:
    """Where the owner of this name has signed in lately, as addresses are counted."""
    owner = select(col(Operator.id)).where(col(Operator.name) == name).scalar_subquery()
    recent = col(OperatorSession.signed_in_at) > now - KEEP_SESSIONS
    rows = select(col(OperatorSession.address)).where(col(OperatorSession.operator_id) == owner, recent)
    return {counted_address(address) for address in db.scalars(rows.distinct())}


def _recent(db: Session, name: str, address: str, now: datetime) -> list[FailedSignIn]:
    there = (col(SignInAttempt.address) == address) & (col(SignInAttempt.name) != SINGLE_SIGN_ON)
    same = or_(col(SignInAttempt.name) == name, there)
    rows = db.scalars(
        select(SignInAttempt)
        .where(same, col(SignInAttempt.at) > now - ATTEMPT_WINDOW)
        .order_by(col(SignInAttempt.at).desc())
        .limit(500)
    )
    return [FailedSignIn(row.name, row.address, row.at) for row in rows]
