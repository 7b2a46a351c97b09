"""A column of an export: its fixed name in CSV, its title for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

Value = str | int | datetime | None
Rows = Iterable[tuple[Value, ...]]


@dataclass(frozen=True)
class Column:
    """A column of an export."""

    name: str
    title: str  # an English sentence of the catalogues
    width: int = 18  # characters, in a workbook
