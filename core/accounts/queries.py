"""Reads operators and the activity log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.sql import Select
from sqlmodel import Session, col

from core.accounts.authorising import lacks_second_factor
from core.accounts.rules import (
    COMMAND_LINE,
    SYSTEM,
    OperatorState,
    Role,
    has_expired,
    normalise_operator_name,
)
from core.db.bulk import among
from core.db.engine import reading
from core.db.tables import Activity, Operator
from core.errors import N_, NotFound
from core.text.collation import sort_key
from core.text.normalise import normalise_name


@dataclass(frozen=True)
class OperatorView:
    """An operator as the panel shows them."""

    id: int
    name: str
    role: Role
    language: str | None
    must_change_password: bool
    has_second_factor: bool
    has_single_sign_on: bool  # and no password
    company_account: str  # what the provider called them when they last came
    has_password: bool
    was_granted_exports: bool
    fanpage_ids: frozenset[int] | None  # None: all fanpages
    sessions_valid_after: datetime
    disabled_at: datetime | None
    last_seen_at: datetime | None
    created_at: datetime

    @property
    def lacks_second_factor(self) -> bool:
        """Whether they must set one up before anything else."""
        return lacks_second_factor(self.role, self.has_second_factor, self.has_single_sign_on)

    @property
    def has_no_way_in(self) -> bool:
        """Whether an admin has to give them a password before they can sign in."""
        return not self.has_single_sign_on and not self.has_password

    @property
    def state(self) -> OperatorState:
        if self.disabled_at:
            return OperatorState.DISABLED
        return OperatorState.NEW if self.must_change_password else OperatorState.ACTIVE


def get_operator_named(name: str) -> OperatorView:
    """The operator of this user name. Raises NotFound."""
    with reading() as db:
        row = _by_name(db, name)
        if row is None:
            raise NotFound(N_("There is no user called {name}."), name=name)
        return operator_view(row)


def operator_view(row: Operator) -> OperatorView:
    """The view of a row."""
    return OperatorView(
        id=row.id or 0,
        name=row.name,
        role=Role(row.role),
        language=row.language,
        must_change_password=row.must_change_password,
        has_second_factor=row.totp_sealed is not None,
        has_single_sign_on=row.sso_subject is not None,
        company_account=row.sso_name or "",
        has_password=row.password_hash is not None,
        was_granted_exports=row.may_export,
        fanpage_ids=None if row.fanpage_ids is None else frozenset(row.fanpage_ids),
        sessions_valid_after=row.sessions_valid_after,
        disabled_at=row.disabled_at,
        last_seen_at=row.last_seen_at,
        created_at=row.created_at,
    )


def list_operators() -> list[OperatorView]:
    """All operators by name, the disabled ones last."""
    with reading() as db:
        rows = db.scalars(select(Operator)).all()
    rows = sorted(rows, key=lambda row: (row.disabled_at is not None, sort_key(row.name)))
    return [operator_view(row) for row in rows]


def _by_name(db: Session, name: str) -> Operator | None:
    return db.scalar(select(Operator).where(col(Operator.name) == normalise_operator_name(name)))


@dataclass(frozen=True)
class Credentials:
    """With what a sign-in is checked."""

    password_hash: str | None
    password_expires_at: datetime | None
    has_second_factor: bool

    def has_expired(self, now: datetime) -> bool:
        return has_expired(self.password_expires_at, now)


NO_CREDENTIALS = Credentials(None, None, False)


def find_credentials(name: str) -> Credentials:
    """The credentials of a user name; NO_CREDENTIALS for one that is unknown or disabled."""
    with reading() as db:
        row = _by_name(db, name)
        if row is None or row.disabled_at:
            return NO_CREDENTIALS
        return Credentials(row.password_hash, row.password_expires_at, row.totp_sealed is not None)


def find_password_hash(name: str) -> str | None:
    """The password hash with which a sign-in is checked; None for an unknown or disabled operator."""
    return find_credentials(name).password_hash


@dataclass(frozen=True)
class ActivityView:
    """An entry of the activity log."""

    id: int
    at: datetime
    actor: str
    verb: str
    fanpage_id: int | None
    subject_id: int | None
    subject: str
    detail: dict[str, Any]
    address: str
    session_id: int | None


@dataclass(frozen=True)
class ActivityFilter:
    """Which entries of the activity log are wanted. `noun` is the part of a verb before its dot
    ("broadcast"); `search` is looked for in subject and actor."""

    actor: str | None = None
    noun: str | None = None
    search: str = ""
    since: datetime | None = None
    fanpage_id: int | None = None
    fanpage_ids: frozenset[int] | None = None  # of the operator who asks, who is limited to them
    before_id: int | None = None


def list_activity(asked: ActivityFilter, *, offset: int = 0, limit: int = 50) -> list[ActivityView]:
    """The entries of a filter, newest first."""
    statement = _filtered(select(Activity), asked).order_by(col(Activity.id).desc())
    with reading() as db:
        return [_activity(row) for row in db.scalars(statement.offset(offset).limit(limit))]


def count_activity(asked: ActivityFilter) -> int:
    """How many entries a filter has."""
    with reading() as db:
        return db.scalar(_filtered(select(func.count()).select_from(Activity), asked)) or 0


def list_actors(fanpage_ids: frozenset[int] | None = None) -> list[str]:
    """The names of everybody who may stand in the log, or in its lines about these fanpages. Operators are
    never deleted, so the log is not read."""
    with reading() as db:
        found = db.execute(select(col(Operator.name), col(Operator.fanpage_ids))).all()
    names = [
        name
        for name, theirs in found
        if fanpage_ids is None or theirs is None or not fanpage_ids.isdisjoint(theirs)
    ]
    return [*sorted(names, key=sort_key), COMMAND_LINE.name, SYSTEM.name]


def _activity(row: Activity) -> ActivityView:
    return ActivityView(
        id=row.id or 0,
        at=row.at,
        actor=row.actor,
        verb=row.verb,
        fanpage_id=row.fanpage_id,
        subject_id=row.subject_id,
        subject=row.subject,
        detail=dict(row.detail or {}),
        address=row.address,
        session_id=row.session_id,
    )


def _as_stored(search: str) -> str:
    """How words stand in the details, which are stored as JSON. There, capitals count."""
    return json.dumps(search)[1:-1]


def _filtered(statement: Select[Any], asked: ActivityFilter) -> Select[Any]:
    if asked.actor:
        statement = statement.where(col(Activity.actor) == asked.actor)
    if asked.noun:
        statement = statement.where(col(Activity.verb).startswith(f"{asked.noun}.", autoescape=True))
    if asked.since:
        statement = statement.where(col(Activity.at) >= asked.since)
    if asked.fanpage_id:
        statement = statement.where(col(Activity.fanpage_id) == asked.fanpage_id)
    if asked.fanpage_ids is not None:
        statement = statement.where(col(Activity.fanpage_id).in_(among(asked.fanpage_ids)))
    if asked.before_id:
        statement = statement.where(col(Activity.id) < asked.before_id)
    if search := normalise_name(asked.search):
        statement = statement.where(
            col(Activity.subject).icontains(search, autoescape=True)
            | col(Activity.actor).icontains(search, autoescape=True)
            | (col(Activity.address) == search)
            | cast(col(Activity.detail), Text).contains(_as_stored(search), autoescape=True)
        )
    return statement
