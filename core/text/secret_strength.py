"""How many guesses a secret would stand. The lists of common words and passwords are those of zxcvbn."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from zxcvbn import zxcvbn

READS = 72  # no further, or the time it takes grows
KEY_MINIMUM = 32
KEY_GUESSES = 25.0  # as powers of ten; 32 random letters and digits stand some 32
_PLAIN = re.compile(r"change|secret|password|example|default|notify", re.IGNORECASE)
# What people here choose and the lists do not hold.
_COMMON = (
    "matkhau",
    "emyeuanh",
    "anhyeuem",
    "yeuem",
    "vietnam",
    "saigon",
    "hanoi",
    "danang",
    "nguyen",
    "tran",
)


def guesses(secret: str, known: Collection[str] = ()) -> float:
    """How many guesses, as a power of ten, somebody needs who knows these words and the common ones."""
    if not secret:
        return 0.0
    return float(zxcvbn(secret[:READS], user_inputs=[*known, *_COMMON])["guesses_log10"])


@lru_cache  # the key is looked at whenever it is used
def is_guessable_key(key: str) -> bool:
    """Whether a key is too short, a phrase such as "change-me", or regular."""
    return len(key) < KEY_MINIMUM or bool(_PLAIN.search(key)) or guesses(key) < KEY_GUESSES
