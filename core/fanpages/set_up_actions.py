"""What an admin says about the set-up: done at Facebook, accepted as it is, the addresses Meta asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import EVERYTHING, Scope, authorise, of
from core.accounts.rules import Actor, Permission
from core.db.engine import transaction
from core.db.tables import Fanpage, InstallationCheck, SetUpConfirmation
from core.errors import N_, Invalid, NotFound, WrongState, problem
from core.fanpages.set_up_findings import Finding, may_accept
from core.fanpages.set_up_rules import Check

ADDRESS = re.compile(r"https://[^\s/]+\.[^\s/]+(/\S*)?")
ADDRESS_LIMIT = 500


def accept(by: Actor, code: str, *, fanpage_id: int | None, now: datetime) -> None:
    """Say that this was done by hand, or that the problem is known and accepted, for a fanpage or (None) for
    the whole installation. Raises WrongState for what is red: it can only be mended."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, _touched(fanpage_id), now=now)
        if not may_accept(code):
            raise WrongState(N_("This blocks all sending, so it has to be fixed and can't be accepted."))
        scope, name = _scope(db, fanpage_id)
        db.merge(SetUpConfirmation(scope=scope, code=code, by=by.name, at=now))
        _record(db, by, "fanpage.accept", fanpage_id, name, code, now)


def take_back(by: Actor, code: str, *, fanpage_id: int | None, now: datetime) -> None:
    """Take back what `accept` said."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, _touched(fanpage_id), now=now)
        scope, name = _scope(db, fanpage_id)
        db.execute(
            delete(SetUpConfirmation).where(
                col(SetUpConfirmation.scope) == scope, col(SetUpConfirmation.code) == code
            )
        )
        _record(db, by, "fanpage.take_back", fanpage_id, name, code, now)


def set_addresses(by: Actor, *, privacy: str, deletion: str, now: datetime) -> None:
    """Keep the addresses of the privacy policy and of the page about deleting data. They are checked when the
    installation is checked next; until then nothing is said of them."""
    entered = {Check.PRIVACY: privacy.strip(), Check.DELETION: deletion.strip()}
    wrong = [name for name, value in entered.items() if value and not _is_address(value)]
    if wrong:
        raise Invalid(
            [problem(name, N_("Enter a full address that starts with https://.")) for name in wrong]
        )
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        before = {}
        for name, value in entered.items():
            row = db.get(InstallationCheck, str(name)) or InstallationCheck(name=str(name))
            before[name] = row.value or ""
            if row.value != value:
                row.value, row.code, row.checked_at = value, None, None
                _forget_confirmations(db, name)
            db.add(row)
        if before != entered:
            was, is_now = _by_name(before), _by_name(entered)
            record(db, by, "installation.set_addresses", now=now, before=was, after=is_now)


def _by_name(addresses: Mapping[Check, str]) -> dict[str, str]:
    return {f"{check}_address": address for check, address in addresses.items()}


def _is_address(value: str) -> bool:
    return len(value) <= ADDRESS_LIMIT and ADDRESS.fullmatch(value) is not None


def _forget_confirmations(db: Session, check: Check) -> None:
    """Whoever accepted the former address did not mean this one."""
    codes = [str(each) for each in Finding if check.name in each.name]
    db.execute(delete(SetUpConfirmation).where(col(SetUpConfirmation.code).in_(codes)))


def _touched(fanpage_id: int | None) -> Scope:
    return EVERYTHING if fanpage_id is None else of(Fanpage, fanpage_id)


def _scope(db: Session, fanpage_id: int | None) -> tuple[str, str]:
    """The scope of a confirmation, and the name of the fanpage."""
    if fanpage_id is None:
        return "", ""
    found = db.execute(
        select(col(Fanpage.page_id), col(Fanpage.name)).where(col(Fanpage.id) == fanpage_id)
    ).first()
    if found is None:
        raise NotFound(N_("This fanpage is no longer connected."))
    return found[0], found[1]


def _record(
    db: Session, by: Actor, verb: str, fanpage_id: int | None, name: str, code: str, now: datetime
) -> None:
    record(db, by, verb, now=now, fanpage_id=fanpage_id, subject_id=fanpage_id, subject=name, code=code)
