"""Encrypts secrets at rest (AES-SIV, RFC 5297), and hashes them under a key so that they can be looked up.

AES-SIV needs no random numbers; to ask the system for them would give up the interpreter's lock at each
token. Equal secrets encrypt to equal texts, which tells no more than their hashes do. Columns with encrypted
secrets are called `…_sealed`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from core.errors import N_, OperatorError
from core.settings import secret_key, settings

_PREFIX = "siv."
_CANNOT = (InvalidTag, ValueError)  # a text that is no base64 is a ValueError
Cipher = Callable[[bytes, None], bytes]


class CannotDecrypt(OperatorError):
    """A secret was encrypted with another key."""

    code = "wrong_key"


def derived_key(purpose: str, key: str | None = None, *, size: int = 32) -> bytes:
    """Derive the key for one purpose, of `size` bytes (at most 64), so that no two uses share a key. Without
    `key` it is derived from the installation's secret key."""
    known = (key or secret_key()).encode()[:64]
    return hashlib.blake2b(purpose.encode(), key=known, digest_size=size).digest()


@lru_cache(maxsize=4)
def _cipher(key: str) -> AESSIV:
    return AESSIV(derived_key("seal", key, size=64))


def encrypt(secret: str) -> str:
    """Encrypt a secret with the installation's key."""
    return _encrypted(_cipher(secret_key()).encrypt, secret)


def encrypt_all(secrets: Sequence[str]) -> list[str]:
    """Encrypt many secrets with the installation's key, in their order."""
    encrypt = _cipher(secret_key()).encrypt
    return [_encrypted(encrypt, each) for each in secrets]


def decrypt(sealed: str) -> str:
    """Decrypt a secret. Raises CannotDecrypt when it was encrypted with another key than the
    installation's."""
    opened = decrypt_all([sealed])[0]
    if opened is None:
        raise CannotDecrypt(
            N_(
                "An encrypted secret can't be read: OTN_SECRET_KEY (or data/secret.key) is not the "
                "key it was encrypted with."
            )
        )
    return opened


def decrypt_all(sealed: Sequence[str]) -> list[str | None]:
    """Decrypt many secrets, in their order; None stands for one that was encrypted with another key."""
    decrypt = _cipher(secret_key()).decrypt
    return [_decrypted(decrypt, each) for each in sealed]


def encrypt_with_key(key: str, secret: str) -> str:
    """Encrypt a secret with a key other than the installation's."""
    return _encrypted(_cipher(key).encrypt, secret)


def decrypt_with_key(key: str, sealed: str) -> str | None:
    """Decrypt what `encrypt_with_key` made; None when it was made with another key."""
    return _decrypted(_cipher(key).decrypt, sealed)


def _encrypted(encrypt: Cipher, secret: str) -> str:
    raw = encrypt(secret.encode("utf-8", "surrogatepass"), None)
    return _PREFIX + base64.b64encode(raw).decode()


def _decrypted(decrypt: Cipher, sealed: str) -> str | None:
    if not sealed.startswith(_PREFIX):
        return None
    try:
        raw = decrypt(binascii.a2b_base64(sealed[len(_PREFIX) :]), None)
        return raw.decode("utf-8", "surrogatepass")
    except _CANNOT:
        return None


def seal_key(key: str) -> tuple[str, str | None]:
    """A key that outlives the secret key, sealed under it and once more under OTN_APP_SECRET (if set)."""
    return encrypt(key), seal_key_by_app(key)


def seal_key_by_app(key: str) -> str | None:
    """A key sealed under OTN_APP_SECRET; None when that is not set."""
    app_secret = settings().app_secret.get_secret_value()
    return encrypt_with_key(app_secret, key) if app_secret else None


def open_key(sealed: str, sealed_by_app: str | None) -> str | None:
    """Open what `seal_key` made by the secret key, else by OTN_APP_SECRET; None when neither opens it."""
    return decrypt_all([sealed])[0] or open_key_by_app(sealed_by_app)


def open_key_by_app(sealed_by_app: str | None) -> str | None:
    """Open what `seal_key_by_app` made; None when OTN_APP_SECRET is another one."""
    app_secret = settings().app_secret.get_secret_value()
    return decrypt_with_key(app_secret, sealed_by_app) if app_secret and sealed_by_app else None


@lru_cache(maxsize=4)
def _hash_key(key: str) -> bytes:
    return derived_key("find", key)


def lookup_key(key: str | None = None) -> bytes:
    """The key of hashes that belongs to a secret key, the installation's if none is given."""
    return _hash_key(key or secret_key())


def lookup_hash(secret: str, key: bytes | None = None) -> str:
    """A hash of 64 hex digits by which a secret is found again, keyed, so that a guess cannot be checked
    against a stolen database. Without `key` it is the one of the secret key."""
    message = secret.encode("utf-8", "surrogatepass")
    return hmac.digest(key or lookup_key(), message, "sha256").hex()
