"""A sign-in that has begun here and goes on at the provider. The browser keeps it, in a sealed cookie: so it
is of this browser alone, nothing is stored for strangers, and any panel of several can go on with it."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from core.encryption import decrypt_with_key, derived_key, encrypt_with_key

ATTEMPT_LIFETIME = timedelta(minutes=10)


def _random() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Attempt:
    """A sign-in under way, where it leads and in which language."""

    began_at: float  # seconds since 1970
    path: str = ""  # of the page to open
    query: str = ""
    language: str = ""
    links: int | None = None  # the session of the operator who wants to come this way from now on
    state: str = field(default_factory=_random)  # comes back with the browser
    nonce: str = field(default_factory=_random)  # comes back in the ID token
    verifier: str = field(default_factory=_random)  # of PKCE: 43 characters


@dataclass(frozen=True)
class Proposal:
    """A company account that the provider has vouched for, and to which an operator has yet to say that they
    change over."""

    began_at: float  # seconds since 1970
    links: int  # the session of the operator, by which alone it is good
    issuer: str
    subject: str
    name: str
    role: str
    shown: str  # what their owner knows the account by


def seal(note: Attempt | Proposal) -> str:
    """An attempt or a proposal as the browser keeps it."""
    return encrypt_with_key(_key(type(note)), json.dumps(asdict(note)))


def unseal(sealed: str, now: datetime) -> Attempt | None:
    """The attempt that a browser has kept; None for one that is too old, or not ours."""
    return _unsealed(Attempt, sealed, now)


def unseal_proposal(sealed: str, now: datetime) -> Proposal | None:
    """The proposal that a browser has kept; None for one that is too old, or not ours."""
    return _unsealed(Proposal, sealed, now)


Note = TypeVar("Note", Attempt, Proposal)


def _unsealed(kind: type[Note], sealed: str, now: datetime) -> Note | None:
    text = decrypt_with_key(_key(kind), sealed)
    if text is None:
        return None
    try:
        note = kind(**json.loads(text))
    except TypeError:  # sealed before an upgrade
        return None
    age = now.timestamp() - note.began_at
    return note if 0 <= age < ATTEMPT_LIFETIME.total_seconds() else None


def _key(kind: type[Attempt] | type[Proposal]) -> str:
    return derived_key("single sign-on" if kind is Attempt else "company account").hex()
