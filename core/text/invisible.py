"""Classes of characters that nobody sees."""

from __future__ import annotations

import re

# Unicode 15.1, DerivedCoreProperties: Default_Ignorable_Code_Point; with it what draws nothing although it
# is not on that list: interlinear annotations, the blank braille pattern, the null notehead.
_RANGES = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d159"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SPACES = "\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Parts of a character class. Blank are controls, spaces of every width and halves of a character.
BLANKS = rf"\x00-\x20\x7f-\xa0\ud800-\udfff{_SPACES}"
INVISIBLE = _RANGES

VISIBLE = re.compile(f"[^{BLANKS}{INVISIBLE}]")
UNSEEN_SIGNS = re.compile(f"[{INVISIBLE}]+")

# What belongs to the character before it, though nobody sees it alone: variation selectors (an emoji or a
# plain sign) and the tags that make the flags of England, Scotland and Wales.
ATTACHED = "\ufe00-\ufe0f\U000e0100-\U000e01ef\U000e0020-\U000e007f"
OPENERS = re.compile("[\u202a\u202b\u202d\u202e\u2066-\u2068]")  # of a run in another direction (UAX 9)
CLOSERS = "\u202c\u2069"


def is_unseen(sign: str) -> bool:
    """Whether a single character is blank or invisible."""
    return VISIBLE.match(sign) is None
