"""Rows of operators inside the transaction of an action: locked, checked, and named in the log."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts import activity_log
from core.accounts.authorising import EVERYTHING, Scope, authorise
from core.accounts.passwords import BCRYPT_PREFIX
from core.accounts.rules import HANDED_OVER_FOR, Actor, Permission, Role
from core.db import bulk
from core.db.advisory_locks import OPERATORS_LOCK, take_lock
from core.db.tables import Fanpage, Operator
from core.errors import N_, Invalid, NotFound, WrongState, problem
from core.settings import settings
from core.text.collation import sort_key


def lock_operators(
    db: Session,
    by: Actor,
    permission: Permission,
    now: datetime,
    scope: Scope = EVERYTHING,
    *,
    own_account: bool = False,
) -> None:
    """Keep everybody else from changing operators until the transaction ends. This lock is taken first: two
    admins who disable each other would otherwise wait for each other."""
    take_lock(db, OPERATORS_LOCK)
    authorise(db, by, permission, scope, now=now, own_account=own_account)


def get_operator_row(db: Session, operator_id: int) -> Operator:
    row = db.get(Operator, operator_id)
    if row is None:
        raise NotFound(N_("This user no longer exists."))
    return row


def existing_fanpages(db: Session, fanpage_ids: Collection[int] | None) -> list[int] | None:
    """The chosen fanpages in order. Raises Invalid when none is chosen, or one is not connected."""
    if fanpage_ids is None:
        return None
    if not fanpage_ids:
        raise Invalid([problem("fanpages", N_("Choose at least one fanpage, or all of them."))])
    known = select(col(Fanpage.id)).where(col(Fanpage.id).in_(bulk.among(fanpage_ids)))
    found = sorted(each or 0 for each in db.scalars(known))
    if len(found) < len(set(fanpage_ids)):
        raise Invalid([problem("fanpages", N_("One of these fanpages is not connected; choose again."))])
    return found


def names_of_fanpages(db: Session, fanpage_ids: list[int] | None, key: str = "fanpages") -> dict[str, str]:
    """What the activity log says of the fanpages of an operator; nothing of one who has all."""
    if fanpage_ids is None:
        return {}
    names = select(col(Fanpage.name)).where(col(Fanpage.id).in_(bulk.among(fanpage_ids)))
    return {key: ", ".join(sorted(db.scalars(names), key=sort_key))}


def keep_an_admin(db: Session, leaving: Operator) -> None:
    """Somebody must remain who may do everything, for all fanpages, and gets in by a password: single sign-on
    may fail, and take their role from all others."""
    admins = select(col(Operator.id)).where(
        col(Operator.role) == Role.ADMIN.value,
        col(Operator.disabled_at).is_(None),
        col(Operator.fanpage_ids).is_(None),
        col(Operator.password_hash).startswith(BCRYPT_PREFIX),
    )
    left = set(db.scalars(admins))
    if left == {leaving.id}:
        raise WrongState(
            N_("{name} is the last admin of all fanpages who has a password. Make somebody else one first.")
            if settings().has_single_sign_on
            else N_("{name} is the last admin of all fanpages. Give that access to somebody else first."),
            name=leaving.name,
        )


def refuse_by_single_sign_on(row: Operator, sentence: str) -> None:
    """Raise WrongState for an operator who signs in at a provider, which has the say."""
    if row.sso_subject is not None:
        raise WrongState(sentence, name=row.name)


def hand_over(row: Operator, now: datetime) -> None:
    """Note that the password was made by somebody else: it must be changed, and is good for a while only."""
    row.must_change_password, row.password_expires_at = True, now + HANDED_OVER_FOR


def record(db: Session, by: Actor, verb: str, row: Operator, now: datetime, **detail: str) -> None:
    by_name: dict[str, Any] = dict(detail)
    activity_log.record(db, by, verb, now=now, subject_id=row.id, subject=row.name, **by_name)
