"""Rules about operators: roles and permissions, names and passwords, and when a sign-in is locked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_network

from core.errors import N_, NotAllowed, Problem, problem
from core.text.ip_addresses import find_address
from core.text.normalise import normalise_name


class Role(StrEnum):
    """What an operator may do; each role includes those before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    SENDER = "sender"
    ADMIN = "admin"


class Permission(StrEnum):
    """What an action needs."""

    VIEW = "view"  # read everything but secrets
    EDIT = "edit"  # topics, messages, drafts, imports
    SEND = "send"  # launch, schedule, pause, resume, cancel, settle what is in doubt
    ADMIN = "admin"  # operators, fanpages, settings


class OperatorState(StrEnum):
    """Whether an operator can sign in."""

    NEW = "new"  # has to choose a password of their own first
    ACTIVE = "active"
    DISABLED = "disabled"


_RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.SENDER: 2, Role.ADMIN: 3}
_NEEDS = {Permission.VIEW: 0, Permission.EDIT: 1, Permission.SEND: 2, Permission.ADMIN: 3}


def may(role: Role, permission: Permission) -> bool:
    """Whether a role includes a permission."""
    return _RANK[role] >= _NEEDS[permission]


def may_export(role: Role, *, granted: bool) -> bool:
    """Whether somebody may take data out of the panel: who may change it, and viewers who were granted it."""
    return granted or may(role, Permission.EDIT)


@dataclass(frozen=True)
class Actor:
    """Who asks for a write: an operator, or the machine itself (`SYSTEM`).

    The role is that of the time when the value was made, which is good enough for what a page shows. An
    action reads it anew, see authorising.py.
    """

    id: int | None
    name: str
    role: Role
    signed_in_at: datetime | None = None  # when the session began by which an operator asks
    session_id: int | None = None
    address: str = ""  # from where
    was_granted_exports: bool = False
    fanpage_ids: frozenset[int] | None = None  # to which they are limited; None: all fanpages
    is_absent: bool = False  # the machine does what they asked for before; their session may have ended

    @property
    def has_all_fanpages(self) -> bool:
        """Whether they are limited to no fanpages."""
        return self.fanpage_ids is None

    @property
    def waits_for_fanpages(self) -> bool:
        """Whether an admin has to give them a fanpage before they can do anything."""
        return self.fanpage_ids is not None and not self.fanpage_ids

    def may_see(self, fanpage_id: int) -> bool:
        """Whether a fanpage is among theirs."""
        return self.fanpage_ids is None or fanpage_id in self.fanpage_ids

    @property
    def may_export(self) -> bool:
        """Whether they may take data out of the panel."""
        return may_export(Role(self.role), granted=self.was_granted_exports)

    def may(self, permission: Permission) -> bool:
        """Whether the role includes a permission."""
        return may(Role(self.role), permission)

    def require(self, permission: Permission) -> None:
        """Raise NotAllowed unless the role includes the permission."""
        if not self.may(permission):
            raise NotAllowed(N_("Your role ({role}) doesn't allow this; ask an admin."), role=str(self.role))


SYSTEM = Actor(id=None, name="system", role=Role.ADMIN)
COMMAND_LINE = Actor(id=None, name="command line", role=Role.ADMIN)

NAME_LIMIT = 64
NAME_PATTERN = re.compile(rf"[a-z0-9][a-z0-9._@-]{{1,{NAME_LIMIT - 1}}}")
RESERVED_NAMES = frozenset({SYSTEM.name})
PASSWORD_MINIMUM = 12
PASSWORD_GUESSES = 8.0  # as powers of ten, by core/text/secret_strength.py
HANDED_OVER_FOR = timedelta(days=7)  # how long a password is good that somebody else has made
PASSWORD_MAXIMUM_BYTES = 72  # bcrypt reads no further and bcrypt 5 raises beyond
ATTEMPT_WINDOW = timedelta(minutes=15)


def normalise_operator_name(typed: str) -> str:
    """A user name in the form in which names are compared: without case, and ａ is a."""
    return normalise_name(unicodedata.normalize("NFKC", typed)).lower()[:NAME_LIMIT]


def check_operator_name(name: str) -> list[Problem]:
    """What is wrong with a user name."""
    if NAME_PATTERN.fullmatch(name) and name not in RESERVED_NAMES:
        return []
    return [
        problem(
            "name",
            N_(
                "A user name has 2 to 64 letters without accents, digits, or any of . _ @ -, for "
                "example: lan.anh"
            ),
        )
    ]


def check_password(password: str, name: str) -> list[Problem]:
    """What is wrong with a password for this user name."""
    if len(password) < PASSWORD_MINIMUM:
        return [
            problem(
                "password", N_("A password needs at least {minimum} characters."), minimum=PASSWORD_MINIMUM
            )
        ]
    if password != password.strip():
        return [problem("password", N_("A password must not begin or end with a space."))]
    if len(password.encode("utf-8", "surrogatepass")) > PASSWORD_MAXIMUM_BYTES:
        return [
            problem(
                "password", N_("That password is too long; about 70 plain letters or 24 accented ones fit.")
            )
        ]
    if name in password.lower() or len(set(password)) < 4:
        return [problem("password", N_("That password is too easy to guess; make it less predictable."))]
    return []


def has_expired(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a password is not good any more that somebody else has made."""
    return expires_at is not None and expires_at <= now


class LimitScope(StrEnum):
    """What failed sign-ins are counted by."""

    BOTH = "both"  # the same name from the same address
    ADDRESS = "address"
    NAME = "name"


@dataclass(frozen=True)
class Limit:
    """At most `most` failed sign-ins within the window that have in common what `scope` says."""

    scope: LimitScope
    most: int


# A stranger who fails with somebody's name locks only this name at their own address. The last limit stops
# guesses that are spread over many addresses.
ATTEMPTS_BY_ADDRESS = 20  # by single sign-on, too
LIMITS: tuple[Limit, ...] = (
    Limit(LimitScope.BOTH, 5),
    Limit(LimitScope.ADDRESS, ATTEMPTS_BY_ADDRESS),
    Limit(LimitScope.NAME, 100),
)


@dataclass(frozen=True)
class FailedSignIn:
    """A sign-in that was begun and did not succeed."""

    name: str
    address: str
    at: datetime


def counted_address(address: str) -> str:
    """What an address is counted as: a subscriber has 2^64 addresses of IPv6, which count as one."""
    seen = find_address(address)
    if seen is None:
        return address[:64]
    return str(ip_network((seen, 64), strict=False)) if seen.version == 6 else str(seen)


def locked_until(
    name: str, address: str, attempts: Sequence[FailedSignIn], now: datetime, *, known: bool = False
) -> datetime | None:
    """When this name may be tried again from this address; None when it may be tried now. `known` says that
    its owner has signed in from there before, so that strangers elsewhere do not lock them out."""
    recent = sorted((a for a in attempts if now - ATTEMPT_WINDOW < a.at), key=lambda a: a.at)
    limits = [limit for limit in LIMITS if limit.scope != LimitScope.NAME or not known]
    ends = [_end_of_lock(limit, name, address, recent) for limit in limits]
    return max((end for end in ends if end is not None), default=None)


def _end_of_lock(limit: Limit, name: str, address: str, recent: Sequence[FailedSignIn]) -> datetime | None:
    same = [
        a.at
        for a in recent
        if (limit.scope == LimitScope.ADDRESS or a.name == name)
        and (limit.scope == LimitScope.NAME or a.address == address)
    ]
    return same[-limit.most] + ATTEMPT_WINDOW if len(same) >= limit.most else None
