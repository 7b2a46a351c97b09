"""Seals secrets at rest (Fernet: AES-128-CBC + HMAC-SHA256) and finds them again by keyed hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken

from core.errors import N_, OperatorError
from core.settings import secret_key


class CannotOpen(OperatorError):
    code = "wrong_key"


@lru_cache(maxsize=4)
def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key("seal", key)))


def derived_key(purpose: str, key: str | None = None) -> bytes:
    """32 bytes for one purpose, so that no two uses share a key."""
    return hashlib.blake2b(purpose.encode(), key=(key or secret_key()).encode()[:64], digest_size=32).digest()


def seal(secret: str) -> str:
    return _fernet(secret_key()).encrypt(secret.encode("utf-8", "surrogatepass")).decode()


def unseal(sealed: str) -> str:
    """The secret; CannotOpen when another installation's key sealed it."""
    try:
        return _fernet(secret_key()).decrypt(sealed).decode("utf-8", "surrogatepass")
    except InvalidToken:
        raise CannotOpen(
            N_(
                "A sealed secret cannot be opened: OTN_SECRET_KEY (or data/secret.key) is not "
                "the key it was sealed with."
            )
        ) from None


def unseal_all(sealed: Sequence[str]) -> list[str | None]:
    """Many secrets at once; None for one that another key sealed."""
    fernet = _fernet(secret_key())
    return [_opened(fernet, each) for each in sealed]


def _opened(fernet: Fernet, sealed: str) -> str | None:
    try:
        return fernet.decrypt(sealed).decode("utf-8", "surrogatepass")
    except InvalidToken:
        return None


@lru_cache(maxsize=4)
def _hash_key(key: str) -> bytes:
    return derived_key("find", key)


def find_hash(secret: str) -> str:
    """64 hex digits by which a sealed secret is found; keyed, so a stolen database proves no guess."""
    message = secret.encode("utf-8", "surrogatepass")
    return hmac.new(_hash_key(secret_key()), message, hashlib.sha256).hexdigest()
