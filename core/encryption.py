"""Seals secrets at rest (AES-SIV, RFC 5297) and finds them again by keyed hash.

AES-SIV needs no randomness: asking the system for it gives up the interpreter's lock at each token. Equal
secrets give equal seals, which says no more than their hashes do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from core.errors import N_, OperatorError
from core.settings import secret_key

_PREFIX = "siv."
_CANNOT = (InvalidTag, ValueError)  # a text that is no base64 is a ValueError
Cipher = Callable[[bytes, None], bytes]


class CannotDecrypt(OperatorError):
    code = "wrong_key"


def derived_key(purpose: str, key: str | None = None, *, size: int = 32) -> bytes:
    """Bytes for one purpose (at most 64), so that no two uses share a key."""
    known = (key or secret_key()).encode()[:64]
    return hashlib.blake2b(purpose.encode(), key=known, digest_size=size).digest()


@lru_cache(maxsize=4)
def _cipher(key: str) -> AESSIV:
    return AESSIV(derived_key("seal", key, size=64))


def encrypt(secret: str) -> str:
    return _encrypted(_cipher(secret_key()).encrypt, secret)


def encrypt_all(secrets: Sequence[str]) -> list[str]:
    encrypt = _cipher(secret_key()).encrypt
    return [_encrypted(encrypt, each) for each in secrets]


def decrypt(sealed: str) -> str:
    """The secret; CannotOpen when another installation's key sealed it."""
    opened = decrypt_all([sealed])[0]
    if opened is None:
        raise CannotDecrypt(
            N_(
                "A sealed secret cannot be opened: OTN_SECRET_KEY (or data/secret.key) is not "
                "the key it was sealed with."
            )
        )
    return opened


def decrypt_all(sealed: Sequence[str]) -> list[str | None]:
    """Many secrets at once; None for one that another key sealed."""
    decrypt = _cipher(secret_key()).decrypt
    return [_decrypted(decrypt, each) for each in sealed]


def encrypt_with_key(key: str, secret: str) -> str:
    """The same under another key than the installation's, for `unseal_under`."""
    return _encrypted(_cipher(key).encrypt, secret)


def decrypt_with_key(key: str, sealed: str) -> str | None:
    """None when it was not sealed under this key."""
    return _decrypted(_cipher(key).decrypt, sealed)


def _encrypted(encrypt: Cipher, secret: str) -> str:
    raw = encrypt(secret.encode("utf-8", "surrogatepass"), None)
    return _PREFIX + base64.b64encode(raw).decode()


def _decrypted(decrypt: Cipher, sealed: str) -> str | None:
    if not sealed.startswith(_PREFIX):
        return None
    try:
        raw = decrypt(base64.b64decode(sealed[len(_PREFIX) :]), None)
        return raw.decode("utf-8", "surrogatepass")
    except _CANNOT:
        return None


@lru_cache(maxsize=4)
def _hash_key(key: str) -> bytes:
    return derived_key("find", key)


def lookup_hash(secret: str) -> str:
    """64 hex digits by which a sealed secret is found; keyed, so a stolen database proves no guess."""
    message = secret.encode("utf-8", "surrogatepass")
    return hmac.digest(_hash_key(secret_key()), message, "sha256").hex()
