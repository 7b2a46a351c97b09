"""The second factor: codes of 30 seconds (TOTP, RFC 6238) from an app on a telephone."""

from __future__ import annotations

from datetime import datetime

import pyotp
from sqlmodel import Session

from core.accounts import activity_log
from core.accounts.authorising import EVERYTHING, NO_FANPAGE, authorise, authorise_early
from core.accounts.operator_rows import refuse_by_single_sign_on
from core.accounts.rules import Actor, Permission
from core.accounts.sign_in import begin_sign_in, forget_attempts
from core.accounts.totp import step_of, take_code
from core.db.engine import transaction
from core.db.tables import Operator
from core.encryption import encrypt
from core.errors import N_, Invalid, NotFound, WrongState, problem

ISSUER = "Notify Once"
WRONG_CODE = N_(
    "This code is not right. Codes change every 30 seconds; check that your phone's clock is right."
)


def fresh_secret() -> str:
    """A secret for a telephone, 160 random bits."""
    return pyotp.random_base32()


def address_of(secret: str, name: str) -> str:
    """What the QR code says that a telephone reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def enable(by: Actor, secret: str, code: str, *, now: datetime) -> None:
    """Ask for codes of this secret at one's sign-ins from now on. Raises Invalid unless the code is of it."""
    step = step_of(secret, code, None, now)
    if step is None:
        raise Invalid([problem("code", WRONG_CODE)])
    with transaction() as db:
        authorise(db, by, Permission.VIEW, NO_FANPAGE, now=now, own_account=True)
        row = _operator(db, by.id)
        refuse_by_single_sign_on(row, N_("You come by single sign-on: set up your second factor there."))
        if row.totp_sealed is not None:
            raise WrongState(N_("You already have a second factor; turn it off first."))
        row.totp_sealed, row.totp_step = encrypt(secret), step
        _record(db, by, "operator.enable_second_factor", row, now)


def disable_own(by: Actor, code: str, *, now: datetime) -> None:
    """Ask for no codes at one's own sign-ins any more. Raises Invalid unless a present code is given, and
    LockedOut after too many others: they count as failed sign-ins."""
    authorise_early(by, Permission.VIEW, NO_FANPAGE, now=now, own_account=True)
    begin_sign_in(by.name, by.address, now=now)
    with transaction() as db:
        authorise(db, by, Permission.VIEW, NO_FANPAGE, now=now, own_account=True)
        row = _operator(db, by.id)
        if row.totp_sealed is not None and not take_code(row, code, now):
            raise Invalid([problem("code", WRONG_CODE)])
        forget_attempts(db, by.name, by.address)
        if row.totp_sealed is None:
            return
        row.totp_sealed = row.totp_step = None
        _record(db, by, "operator.disable_second_factor", row, now)


def disable_of(by: Actor, operator_id: int, *, now: datetime) -> None:
    """Ask an operator for no codes any more, who has lost the telephone."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        row = _operator(db, operator_id)
        if row.totp_sealed is None:
            return
        row.totp_sealed = row.totp_step = None
        _record(db, by, "operator.disable_second_factor", row, now)


def _operator(db: Session, operator_id: int | None) -> Operator:
    row = db.get(Operator, operator_id) if operator_id is not None else None
    if row is None:
        raise NotFound(N_("This user no longer exists."))
    return row


def _record(db: Session, by: Actor, verb: str, row: Operator, now: datetime) -> None:
    activity_log.record(db, by, verb, now=now, subject_id=row.id, subject=row.name)
