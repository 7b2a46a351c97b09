"""A table as it was read from a file: its header line, and its rows one at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from core.errors import Problem

Cell = str | int | float | bool | date | datetime | time | timedelta
Record = tuple[int, list[Cell] | Problem]  # its line in the file, the first being 1; or why it cannot be read


@dataclass(frozen=True)
class SpreadsheetTable:
    """A table in a file. `rows` takes the places (from 0) of the columns that are wanted, and
    leaves out blank rows."""

    header: list[str]
    rows: Callable[[Collection[int]], Iterator[Record]]
    notes: tuple[Problem, ...] = ()  # what the reader chose by itself


def as_text(cell: Cell) -> str:
    """A cell's text as a person would type it: a whole number without its ".0"."""
    if isinstance(cell, float) and cell.is_integer() and not isinstance(cell, bool):
        return str(int(cell))
    return cell.strip() if isinstance(cell, str) else str(cell)
