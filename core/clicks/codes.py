"""The codes of short links: 22 letters that tell nobody anything, and that nobody can guess.

A code is one block of AES under a key of its own: which message it stands in, the link's place there, and
eight bytes of zeros by which we know that we wrote it. The same link in the same message has the same code,
however often the message is tried, and nothing has to be stored for it.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from core.encryption import derived_key
from core.installation.token_hash import lasting_secret

_BLOCK = struct.Struct(">QQ")
_LENGTH = 22
_PLACE_BITS, _KIND_BITS = 6, 2


class Sent(IntEnum):
    """What a link stood in."""

    DELIVERY = 1
    REPLY = 2


@dataclass(frozen=True)
class LinkId:
    """One link of one message to one person."""

    sent: Sent
    id: int
    place: int


def code_of(link: LinkId) -> str:
    """The code of a link: 22 letters, digits, hyphens and underscores."""
    number = (link.id << _PLACE_BITS | link.place) << _KIND_BITS | link.sent
    block = _cipher(lasting_secret()).encryptor().update(_BLOCK.pack(number, 0))
    return base64.urlsafe_b64encode(block).rstrip(b"=").decode()


def read_code(code: str) -> LinkId | None:
    """The link of a code; None for whatever we did not write."""
    if len(code) != _LENGTH or not code.isascii():
        return None
    try:
        block = base64.b64decode(f"{code}==", b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    number, zeros = _BLOCK.unpack(_cipher(lasting_secret()).decryptor().update(block))
    kind, rest = number & (1 << _KIND_BITS) - 1, number >> _KIND_BITS
    if zeros or kind not in tuple(Sent):
        return None
    return LinkId(Sent(kind), rest >> _PLACE_BITS, rest & (1 << _PLACE_BITS) - 1)


@lru_cache(maxsize=4)
def _cipher(key: str) -> Cipher[ECB]:
    # One block is all there ever is, so there is nothing that a mode could chain.
    return Cipher(AES(derived_key("short link", key)), ECB())
