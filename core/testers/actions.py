"""What staff do about testers: inviting by a code, and taking somebody off the list."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.db.engine import transaction
from core.db.tables import Fanpage, Tester
from core.errors import N_, Invalid, NotFound, problem
from core.testers.rules import ALPHABET, CODE_LIFETIME, LENGTH, NAME_LIMIT
from core.text.normalise import normalise_name
from core.text.utf16_units import length


def invite_tester(by: Actor, fanpage_id: int, *, name: str | None = None, now: datetime) -> int:
    """Make a code by which somebody becomes a tester: the operator who asks, or with `name` a colleague who
    has no account. Returns the id of the tester to be. A code that this operator has not used yet is void."""
    is_own = name is None and by.id is not None
    named = by.name if name is None else _checked(name)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        if db.get(Fanpage, fanpage_id) is None:
            raise NotFound(N_("There is no fanpage {id}."), id=fanpage_id)
        if is_own:
            waiting = col(Tester.operator_id) == by.id, col(Tester.customer_id).is_(None)
            db.execute(delete(Tester).where(col(Tester.fanpage_id) == fanpage_id, *waiting))
        row = Tester(
            fanpage_id=fanpage_id,
            operator_id=by.id if is_own else None,
            name=named,
            code=new_code(),
            code_expires_at=now + CODE_LIFETIME,
            created_at=now,
        )
        db.add(row)
        db.flush()
        record(db, by, "tester.invite", now=now, fanpage_id=fanpage_id, subject_id=row.id)
        return row.id or 0


def renew_code(by: Actor, tester_id: int, *, now: datetime) -> None:
    """Give somebody who has not joined yet another code; the former is void."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Tester, tester_id), now=now)
        row = db.get(Tester, tester_id, with_for_update=True)
        if row is None:
            raise NotFound(N_("This tester is no longer on the list."))
        if row.customer_id is None:
            row.code, row.code_expires_at = new_code(), now + CODE_LIFETIME
            record(db, by, "tester.invite", now=now, fanpage_id=row.fanpage_id, subject_id=tester_id)


def remove_tester(by: Actor, tester_id: int, *, now: datetime) -> bool:
    """Take somebody off the list, or their code. False when they are not on it any more."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Tester, tester_id), now=now)
        row = db.get(Tester, tester_id, with_for_update=True)
        if row is None:
            return False
        record(db, by, "tester.remove", now=now, fanpage_id=row.fanpage_id, subject_id=tester_id)
        db.delete(row)
        return True


def new_code() -> str:
    """A code that nobody guesses while it lasts."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def _checked(name: str) -> str:
    named = normalise_name(name)
    if not named:
        raise Invalid([problem("name", N_("Give the tester a name, so that your team knows who it is."))])
    if length(named) > NAME_LIMIT:
        raise Invalid(
            [problem("name", N_("The name can have at most {limit} characters."), limit=NAME_LIMIT)]
        )
    return named
