"""The order of names for people: without regard to case and marks, and the same on every database.

A database sorts by bytes, or by the collation it was made with.
"""

from __future__ import annotations

import unicodedata

_D = str.maketrans("đĐ", "dD")


def sort_key(name: str) -> tuple[str, str]:
    """A key for `sorted`: Ấm chén, áo dài, Bánh."""
    letters = unicodedata.normalize("NFKD", name.translate(_D))
    bare = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return bare.casefold(), name
