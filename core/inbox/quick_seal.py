"""Seals the tokens of stored events: AES-SIV under a key of its own.

Fernet asks the system for randomness at each seal and gives up the interpreter's lock meanwhile; between the
event loop and the writer thread that costs more than all else. AES-SIV needs none, and tokens never repeat.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from core.errors import N_
from core.sealing import CannotOpen, derived_key
from core.settings import secret_key


@lru_cache(maxsize=4)
def _cipher(key: str) -> AESSIV:
    return AESSIV(derived_key("vault", key))


def seal_quickly(secret: str) -> str:
    sealed = _cipher(secret_key()).encrypt(secret.encode("utf-8", "surrogatepass"), None)
    return base64.urlsafe_b64encode(sealed).decode()


def unseal_quickly(sealed: str) -> str:
    """The secret; CannotOpen when another installation's key sealed it."""
    try:
        opened = _cipher(secret_key()).decrypt(base64.urlsafe_b64decode(sealed), None)
    except (InvalidTag, binascii.Error, ValueError):
        raise CannotOpen(
            N_("A stored event cannot be opened: OTN_SECRET_KEY (or data/secret.key) has changed since.")
        ) from None
    return opened.decode("utf-8", "surrogatepass")
