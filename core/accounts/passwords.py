"""Hashes passwords (bcrypt), compares them, and makes fresh ones."""

from __future__ import annotations

import secrets
from functools import lru_cache

import bcrypt

from core.accounts.rules import PASSWORD_GUESSES, PASSWORD_MAXIMUM_BYTES, check_password
from core.errors import N_, Problem, problem
from core.text.secret_strength import guesses

ROUNDS = 12
BCRYPT_PREFIX = "$2"  # with which a hash of bcrypt begins; migration 0048 goes back with one that is none
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another


def hash_password(password: str) -> str:
    """The bcrypt hash of a password. It takes a fifth of a second, so no transaction should be open."""
    return bcrypt.hashpw(password.encode("utf-8", "surrogatepass"), bcrypt.gensalt(ROUNDS)).decode()


def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether a password fits a hash. It takes the same time for an unknown name (None) and a
    wrong password."""
    given = password.encode("utf-8", "surrogatepass")
    too_long = len(given) > PASSWORD_MAXIMUM_BYTES
    known = password_hash if password_hash and password_hash.startswith(BCRYPT_PREFIX) else None
    fits = bcrypt.checkpw(b"too long" if too_long else given, (known or placeholder_hash()).encode())
    return fits and known is not None and not too_long


def check_new_password(password: str, name: str) -> list[Problem]:
    """What is wrong with a password that this user chooses: what the rules say, and what lists of common
    passwords hold."""
    found = check_password(password, name)
    if found or guesses(password, [name, "notifyonce", "notify", "once"]) >= PASSWORD_GUESSES:
        return found
    common = N_(
        "That password is one of the first that attackers try. A few words that only you would put "
        "together work best."
    )
    return [problem("password", common)]


@lru_cache
def placeholder_hash() -> str:
    """A hash that no password fits, to compare with where there is no such operator."""
    return hash_password(secrets.token_urlsafe(16))


def fresh_password() -> str:
    """A random password of about 79 bits that is easy to read out, such as "k7pm-x2ra-9shd-fq4w"."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def fresh_password_for(name: str) -> str:
    """A fresh password that our own rules accept: one in a hundred holds a name of two letters by chance."""
    for _ in range(20):  # a name such as "-" is in all of them, and is refused itself
        password = fresh_password()
        if not check_new_password(password, name):
            break
    return password
