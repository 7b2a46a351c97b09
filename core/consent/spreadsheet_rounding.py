"""Finds ids that a spreadsheet has rounded: it keeps 15 digits of a number, the others become zeros.

An intact id of n digits ends in n - 15 zeros by chance once in 10^(n - 15), which is one in ten with 16
digits. So a single id proves nothing. Among ten or more it is certain when most ids end so and they are not
all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

KEPT_DIGITS = 15
ENOUGH = 10
_DAMAGED = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+\d+|[+-]?\d{10,}[.,]\d+")


def is_damaged(text: str) -> bool:
    """Whether digits are missing for certain: 2.407E+15, 2407000000000012.0."""
    return _DAMAGED.fullmatch(text) is not None


def is_damaged_number(number: float) -> bool:
    """Whether a cell that holds a number cannot hold the id it stood for."""
    return abs(number) >= 10**KEPT_DIGITS or number != int(number)


def lost_digits(text: str) -> int:
    """How many zeros an id ends in where a spreadsheet would have put them; 0 when it does not."""
    lost = len(text) - KEPT_DIGITS
    return lost if lost > 0 and text.isdecimal() and text.endswith("0" * lost) else 0


@dataclass(frozen=True)
class Rounding:
    """What one column's ids look like, row by row."""

    long: int  # rows whose id has more than 15 digits, or had
    damaged: int  # of them, rows with digits missing for certain
    suspects: int  # of them, rows whose id ends in the zeros of a rounded one
    lost: int  # the zeros of different suspects; intact ids end so once in 10 to the power of this
    by_chance: float  # how many suspects would be expected among intact ids

    @property
    def is_certain(self) -> bool:
        most = 2 * (self.damaged + self.suspects) > self.long
        return self.long >= ENOUGH and most and self.damaged + self.lost >= 2


def judge_column(ids: Iterable[str], damaged: int) -> Rounding:
    """Judge a column by its ids that are whole, and by the number of rows whose id is damaged."""
    long = [text for text in ids if len(text) > KEPT_DIGITS and text.isdecimal()]
    return Rounding(
        long=len(long) + damaged,
        damaged=damaged,
        suspects=sum(lost_digits(text) > 0 for text in long),
        lost=sum(map(lost_digits, set(long))),
        by_chance=sum(10.0 ** (KEPT_DIGITS - len(text)) for text in long),
    )
