"""Password hashes (bcrypt) and fresh passwords. The only code that sees a password and a hash together."""

from __future__ import annotations

import secrets
from functools import lru_cache

import bcrypt

from core.accounts.rules import PASSWORD_MAXIMUM_BYTES, check_password

ROUNDS = 12
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another


def hash_password(password: str) -> str:
    return bcrypt.hashpw(password.encode("utf-8", "surrogatepass"), bcrypt.gensalt(ROUNDS)).decode()


def password_matches(password: str, password_hash: str | None) -> bool:
    """Takes the same time whether the hash exists (None: unknown name) or the password fits."""
    given = password.encode("utf-8", "surrogatepass")
    too_long = len(given) > PASSWORD_MAXIMUM_BYTES
    fits = bcrypt.checkpw(b"too long" if too_long else given, (password_hash or placeholder_hash()).encode())
    return fits and password_hash is not None and not too_long


@lru_cache
def placeholder_hash() -> str:
    return hash_password(secrets.token_urlsafe(16))


def fresh_password() -> str:
    """Four groups of four, about 79 bits, easy to read out: "k7pm-x2ra-9shd-fq4w"."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def fresh_password_for(name: str) -> str:
    """One that our own rule takes: a name of two letters turns up in one of a hundred by chance."""
    for _ in range(20):  # a name that is refused itself may be in all of them
        password = fresh_password()
        if not check_password(password, name):
            break
    return password
