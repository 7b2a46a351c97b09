"""A sign-in that has begun here and goes on at the provider. The browser keeps it, in a sealed cookie: so it
is of this browser alone, nothing is stored for strangers, and any panel of several can go on with it."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

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


def seal(attempt: Attempt) -> str:
    """An attempt as the browser keeps it."""
    return encrypt_with_key(_key(), json.dumps(asdict(attempt)))


def unseal(sealed: str, now: datetime) -> Attempt | None:
    """The attempt that a browser has kept; None for one that is too old, or not ours."""
    text = decrypt_with_key(_key(), sealed)
    if text is None:
        return None
    try:
        attempt = Attempt(**json.loads(text))
    except TypeError:  # sealed before an upgrade
        return None
    age = now.timestamp() - attempt.began_at
    return attempt if 0 <= age < ATTEMPT_LIFETIME.total_seconds() else None


def _key() -> str:
    return derived_key("single sign-on").hex()
